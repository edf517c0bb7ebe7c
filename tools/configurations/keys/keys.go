// Package keys tells which keys a configuration file takes, from the Go structs that the program reads it into.
package keys

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// File is what is written: the types by name, each with its keys, and what each key holds.
type File struct {
	Source string                       `json:"source"`
	Root   string                       `json:"root"`
	Types  map[string]map[string]string `json:"types"`

	names map[reflect.Type]string
}

type unmarshaller interface {
	UnmarshalYAML(func(interface{}) error) error
}

// Write writes the keys of root's type.
//
// A value is "" for anything, "." for a scalar, "bool", "int", the name of a type, or "[" or "{" and one of these for a
// list or a mapping of it.
func Write(out io.Writer, source string, root interface{}) error {
	file := File{Source: source, Types: map[string]map[string]string{}, names: map[reflect.Type]string{}}
	file.Root = file.value(reflect.TypeOf(root))
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", " ")
	return encoder.Encode(file)
}

func implements[T any](t reflect.Type) bool {
	wanted := reflect.TypeOf((*T)(nil)).Elem()
	return t.Implements(wanted) || reflect.PointerTo(t).Implements(wanted)
}

func (file *File) value(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeOf(time.Duration(0)) {
		return "."
	}
	custom := implements[unmarshaller](t) || hasMethod(t, "UnmarshalYAML") || implements[encoding.TextUnmarshaler](t)
	switch t.Kind() {
	case reflect.Struct:
		// What reads itself and names no keys is a scalar of some form, or a form of its own.
		if custom && !tagged(t) {
			return ""
		}
		return file.fields(t)
	case reflect.Slice, reflect.Array:
		if custom {
			return ""
		}
		return "[" + file.value(t.Elem())
	case reflect.Map:
		if custom {
			return ""
		}
		return "{" + file.value(t.Elem())
	case reflect.Interface, reflect.Func, reflect.Chan:
		return ""
	case reflect.Bool:
		if custom {
			return "."
		}
		return "bool"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if custom {
			return "."
		}
		return "int"
	default:
		return "."
	}
}

func hasMethod(t reflect.Type, name string) bool {
	_, found := reflect.PointerTo(t).MethodByName(name)
	return found
}

func tagged(t reflect.Type) bool {
	for i := 0; i < t.NumField(); i++ {
		if _, found := t.Field(i).Tag.Lookup("yaml"); found {
			return true
		}
	}
	return false
}

func (file *File) fields(t reflect.Type) string {
	if name, done := file.names[t]; done {
		return name
	}
	// Packages of the same name have types of the same name.
	name := t.String()
	if t.Name() == "" {
		name = "anonymous"
	}
	base := name
	for count := 2; file.Types[name] != nil; count++ {
		name = fmt.Sprintf("%s%d", base, count)
	}
	file.names[t] = name
	keys := map[string]string{}
	file.Types[name] = keys
	file.collect(t, keys)
	return name
}

func (file *File) collect(t reflect.Type, keys map[string]string) {
	for i := 0; i < t.NumField(); i++ {
		field := t.Field(i)
		tag := field.Tag.Get("yaml")
		if tag == "-" || (field.PkgPath != "" && !field.Anonymous) {
			continue
		}
		parts := strings.Split(tag, ",")
		inner := field.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if strings.Contains(tag, ",inline") {
			switch inner.Kind() {
			case reflect.Struct:
				file.collect(inner, keys)
			case reflect.Map:
				// Any key at all.
				keys["*"] = ""
			}
			continue
		}
		if field.PkgPath != "" {
			continue
		}
		key := parts[0]
		if key == "" {
			key = strings.ToLower(field.Name)
		}
		keys[key] = file.value(field.Type)
	}
}
