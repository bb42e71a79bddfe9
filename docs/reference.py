"""Writes the API's reference (docs/api.md) from its description: bugwatch openapi | python3 docs/reference.py"""
import json
import sys

document = json.load(sys.stdin)


def resolve(node):
    while "$ref" in node:
        found = document
        for word in node["$ref"][2:].split("/"):
            found = found[word]
        node = found
    return node


def words(schema):
    """What a value may be, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "oneOf" in schema:
        return " or ".join(words(choice) for choice in schema["oneOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array":
        return "list of " + words(schema["items"]) if "items" in schema else "list"
    low, high = (schema.get(a, schema.get(b)) for a, b in (("minimum", "minLength"), ("maximum", "maxLength")))
    if high is not None:
        kind += f" ({low or 0} to {high}{' characters' if 'maxLength' in schema else ''})"
    return kind


def fields(schema):
    """A table of an object's fields."""
    required = schema.get("required", [])
    print("| field | is | |\n|---|---|---|")
    for name, field in schema["properties"].items():
        about = field.get("description", "")
        if name not in required:
            about = "may be left out" + (f"; {about}" if about else "")
        print(f"| `{name}` | {words(field)} | {about} |")
    print()


def body_of(operation):
    content = operation["requestBody"]["content"]["application/json"]["schema"]
    if "oneOf" not in content:
        return content, ""
    plain, many = content["oneOf"]
    return plain, f", or an array of up to {many['maxItems']} such"


def show_operation(path, method, operation):
    print(f"### {method.upper()} {path}\n")
    role = operation.get("x-role")
    print(f"{operation['summary'][0].upper()}{operation['summary'][1:]}. "
          f"{'Takes the role `' + role + '`.' if role else 'Takes no token.'}\n")
    for reference in operation["parameters"]:
        parameter = resolve(reference)
        if parameter["in"] != "path":
            print(f"- `{parameter['name']}` ({parameter['in']}): {parameter['description']}; {words(parameter['schema'])}")
    if any(resolve(p)["in"] != "path" for p in operation["parameters"]):
        print()
    if "requestBody" in operation:
        plain, more = body_of(operation)
        print(f"Body: an object{more}.\n")
        fields(plain)
    for status, response in operation["responses"].items():
        if "$ref" in response:
            continue
        answers = [words(media["schema"]) if kind == "application/json" else f"`{kind}`"
                   for kind, media in response.get("content", {}).items()]
        for place, answer in enumerate(answers):
            schema = response["content"].get("application/json", {}).get("schema", {})
            if "properties" in schema and place == 0:
                item = schema["properties"]["items"]["items"]
                answers[place] = f"a page of {words(item)}"
        print(f"- {status}: {', or '.join(answers) or 'nothing'}")
    refusals = [status for status, response in operation["responses"].items() if "$ref" in response]
    print(f"- refusals: {', '.join(sorted(refusals))}\n")


print("# The API\n")
print("Made from `bugwatch openapi` by `./dev docs`; a running service tells the same as\n"
      "`GET /api/v1/openapi.json` (OpenAPI " + document["openapi"] + ").\n")
print(document["info"]["description"] + "\n")
print("## Routes\n")
for path, operations in document["paths"].items():
    for method, operation in operations.items():
        show_operation(path, method, operation)
print("## Answers\n")
for name, schema in sorted(document["components"]["schemas"].items()):
    print(f"### {name}\n")
    if "description" in schema:
        print(schema["description"] + "\n")
    if schema.get("type") == "object" and "properties" in schema:
        fields(schema)
    elif "properties" not in schema:
        print(words(schema) + "\n")
    for example in schema.get("examples", []):
        print("```json\n" + json.dumps(example, indent=2) + "\n```\n")
