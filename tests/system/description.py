"""Holds the API's answers against its own description (GET /api/v1/openapi.json)."""
import json
import re
import subprocess
from urllib.parse import urlsplit

try:
    import jsonschema
except ImportError:  # only Debian's pytest is at hand
    jsonschema = None


class Description:
    def __init__(self, program):
        text = subprocess.run([program, "openapi"], capture_output=True, check=True).stdout
        self.document = json.loads(text)
        self.paths = [(re.compile("^" + re.sub(r"\\{[a-z]+\\}", "[^/]+", re.escape(path)) + "$"), operations)
                      for path, operations in self.document["paths"].items()]
        self.validators = {}

    def operation(self, method, path):
        for pattern, operations in self.paths:
            if pattern.match(path):
                return operations.get("get" if method == "HEAD" else method.lower())
        return None

    def resolve(self, node):
        while "$ref" in node:
            target = self.document
            for word in node["$ref"][2:].split("/"):
                target = target[word]
            node = target
        return node

    def validator(self, schema):
        """One for each schema: `$ref` leads into the document as a whole."""
        key = id(schema)
        if key not in self.validators:
            whole = {"$defs": {}, "components": self.document["components"], "allOf": [schema]}
            self.validators[key] = jsonschema.Draft202012Validator(
                whole, format_checker=jsonschema.FormatChecker())
        return self.validators[key]

    def check(self, method, target, status, headers, body):
        """Fails where an answer is not what the description promises."""
        path = urlsplit(target).path
        operation = self.operation(method, path)
        media = (headers.get("Content-Type") or "").split(";")[0]
        if jsonschema is None or operation is None or media == "text/html":
            return  # no such route, or evhttp's own page for what it can't read
        words = f"{method} {path}: {status} {media}"
        assert str(status) in operation["responses"], f"{words}: no such status is described"
        response = self.resolve(operation["responses"][str(status)])
        if method == "HEAD" or not body:
            return
        content = response.get("content", {})
        assert media in content, f"{words}: no such media type is described"
        if media in ("application/json", "application/problem+json"):
            errors = list(self.validator(content[media]["schema"]).iter_errors(json.loads(body)))
            assert not errors, f"{words}: {errors[0].json_path}: {errors[0].message}"
