// Cel evaluates expressions over objects, whose fields are variables, as Flux does for healthCheckExprs: a JSON object
// {"expressions": [...], "objects": [...]} in, a JSON list with a list of results for each object out.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/google/cel-go/cel"
)

func main() {
	var asked struct {
		Expressions []string         `json:"expressions"`
		Objects     []map[string]any `json:"objects"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	// The variables that Flux declares.
	env, err := cel.NewEnv(cel.Variable("apiVersion", cel.DynType), cel.Variable("kind", cel.DynType),
		cel.Variable("metadata", cel.DynType), cel.Variable("spec", cel.DynType), cel.Variable("status", cel.DynType))
	if err != nil {
		log.Fatal(err)
	}
	results := make([][]bool, 0, len(asked.Objects))
	for _, object := range asked.Objects {
		row := make([]bool, 0, len(asked.Expressions))
		for _, expression := range asked.Expressions {
			row = append(row, evaluate(env, expression, object))
		}
		results = append(results, row)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

func evaluate(env *cel.Env, expression string, object map[string]any) bool {
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		log.Fatal(issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		log.Fatal(err)
	}
	value, _, err := program.Eval(object)
	if err != nil {
		log.Fatalf("%s: %v", expression, err)
	}
	result, is := value.Value().(bool)
	if !is {
		log.Fatalf("%s is no bool", expression)
	}
	return result
}
