// Prints, as JSON, the Go types of the Kubernetes API that src/apiserver/schema is made of: names as encoding/json reports them, omitempty,
// patch strategies and field docs. Run by generate.js in a module that requires k8s.io/api and k8s.io/apiextensions-apiserver.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Omit     string `json:"omit,omitempty"`
	MergeKey string `json:"mergeKey,omitempty"`
	Strategy string `json:"strategy,omitempty"`
	// Names of the embedded structs on the way: encoding/json shows them in its errors.
	Via string `json:"via,omitempty"`
	Doc string `json:"doc,omitempty"`
}

type structType struct {
	Doc    string  `json:"doc,omitempty"`
	Fields []field `json:"fields"`
}

var special = map[string]string{
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                             "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                                        "micro",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                                         "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                         "fields",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "ios",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                         "quantity",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "json",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "schemaOrBool",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "schemaOrArray",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaOrStrings",
}

var structs = map[string]*structType{}

func key(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

func describe(t reflect.Type) string {
	if s, ok := special[key(t)]; ok {
		return s
	}
	switch t.Kind() {
	case reflect.Ptr:
		return "*" + describe(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		name := ""
		if t.Name() != "" {
			name = "<" + t.String() + ">"
		}
		return "[]" + name + describe(t.Elem())
	case reflect.Map:
		name := ""
		k := t.Key().String()
		if t.Name() != "" || k != "string" {
			name = "<" + t.String() + ">"
		}
		return "{}" + name + describe(t.Elem())
	case reflect.Struct:
		visit(t)
		return "@" + key(t)
	}
	n := t.Kind().String()
	if t.PkgPath() != "" {
		return n + "<" + t.String() + ">"
	}
	return n
}

func fields(t reflect.Type, via string, out *[]field) {
	docs := map[string]string{}
	if m, ok := reflect.New(t).Interface().(interface{ SwaggerDoc() map[string]string }); ok {
		docs = m.SwaggerDoc()
	}
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if tag == "-" || (f.PkgPath != "" && !f.Anonymous) {
			continue
		}
		parts := strings.Split(tag, ",")
		if parts[0] == "" {
			ft := f.Type
			if ft.Kind() == reflect.Ptr {
				ft = ft.Elem()
			}
			if f.Anonymous || strings.Contains(tag, "inline") {
				fields(ft, via+f.Name+".", out)
			}
			continue
		}
		omit := ""
		for _, p := range parts[1:] {
			if p == "omitempty" && omit == "" {
				omit = "empty"
			} else if p == "omitzero" {
				omit = "zero"
			}
		}
		*out = append(*out, field{parts[0], describe(f.Type), omit, f.Tag.Get("patchMergeKey"), f.Tag.Get("patchStrategy"), via, docs[parts[0]]})
	}
}

func visit(t reflect.Type) {
	k := key(t)
	if _, ok := structs[k]; ok {
		return
	}
	s := &structType{}
	structs[k] = s
	if m, ok := reflect.New(t).Interface().(interface{ SwaggerDoc() map[string]string }); ok {
		s.Doc = m.SwaggerDoc()[""]
	}
	fields(t, "", &s.Fields)
}

func main() {
	s := runtime.NewScheme()
	_ = scheme.AddToScheme(s)
	_ = apiextensions.AddToScheme(s)
	_ = apiregistration.AddToScheme(s)
	kinds := map[string]string{}
	for gvk, t := range s.AllKnownTypes() {
		if strings.HasSuffix(gvk.Kind, "List") || strings.HasSuffix(gvk.Kind, "Options") || strings.HasPrefix(t.PkgPath(), "k8s.io/apimachinery") {
			continue
		}
		visit(t)
		kinds[gvk.GroupVersion().String()+"/"+gvk.Kind] = key(t)
	}
	visit(reflect.TypeOf(metav1.DeleteOptions{}))
	_ = json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"kinds": kinds, "types": structs})
}
