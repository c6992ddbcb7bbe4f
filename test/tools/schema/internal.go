// Prints, as JSON, the fields of internal core types: error messages of the apiserver show objects in that form.
// Run by generate.js in a module that requires k8s.io/kubernetes.
package main

import (
	"encoding/json"
	"os"
	"reflect"

	"k8s.io/kubernetes/pkg/apis/core"
)

type field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

var structs = map[string][]field{}

func describe(t reflect.Type) string {
	switch t.PkgPath() + "." + t.Name() {
	case "k8s.io/apimachinery/pkg/api/resource.Quantity":
		return "quantity"
	case "k8s.io/apimachinery/pkg/util/intstr.IntOrString":
		return "ios"
	case "k8s.io/apimachinery/pkg/apis/meta/v1.Time":
		return "time"
	}
	switch t.Kind() {
	case reflect.Ptr:
		return "*" + describe(t.Elem())
	case reflect.Slice:
		return "[]" + describe(t.Elem())
	case reflect.Map:
		return "{}" + describe(t.Elem())
	case reflect.Struct:
		visit(t)
		return "@" + t.Name()
	}
	return t.Kind().String()
}

func visit(t reflect.Type) {
	if _, ok := structs[t.Name()]; ok {
		return
	}
	structs[t.Name()] = nil
	var out []field
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			if f.Anonymous && f.Tag.Get("json") == "" {
				walk(f.Type)
				continue
			}
			name := f.Name
			if tag := f.Tag.Get("json"); tag != "" {
				name = tag
			}
			out = append(out, field{name, describe(f.Type)})
		}
	}
	walk(t)
	structs[t.Name()] = out
}

func main() {
	visit(reflect.TypeOf(core.PodSpec{}))
	visit(reflect.TypeOf(core.PersistentVolumeClaimSpec{}))
	visit(reflect.TypeOf(core.PersistentVolumeSource{}))
	visit(reflect.TypeOf(core.PodTemplateSpec{}))
	_ = json.NewEncoder(os.Stdout).Encode(structs)
}
