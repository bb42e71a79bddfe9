"""The API's description: whole, valid, true to the program, and what it does not allow is refused."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, cli, described

validator = pytest.importorskip("openapi_spec_validator")


def test_the_description_is_valid():
    validator.validate(described().document)


def test_the_service_tells_the_same(api):
    assert api.ok("GET", "openapi.json") == described().document
    assert json.loads(cli("openapi").out) == described().document


def test_the_reference_is_made_from_it():
    made = subprocess.run([sys.executable, ROOT / "docs" / "reference.py"], check=True, capture_output=True,
                          text=True, input=json.dumps(described().document)).stdout
    assert (ROOT / "docs" / "api.md").read_text() == made, "docs/api.md is old: ./dev docs"


def test_every_schema_has_its_use():
    """What nothing refers to is a leftover."""
    document = described().document
    text = json.dumps(document)
    for kind in ("schemas", "parameters", "responses"):
        for name in document["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, f"{kind} {name} is not used"


def test_roles_and_routes(api, service):
    """Every route against no token, a wrong one, a viewer and an admin."""
    viewer = api.ok("POST", "tokens", {"name": "viewer", "role": "viewer"})["token"]
    for path, operations in described().document["paths"].items():
        target = path
        for word in ("name", "id", "product", "type", "field", "value", "key"):
            target = target.replace("{%s}" % word, "999999999")
        for method, operation in operations.items():
            role = operation.get("x-role")

            def status(token):
                body = {} if "requestBody" in operation else None
                return api.request(method.upper(), target, body, token=token).status

            if role is None:
                assert status(False) in (200, 404, 503), path
                continue
            assert status(False) == 401 and status("bw_wrong") == 401, path
            assert (status(viewer) == 403) == (role == "admin"), f"{method} {path}"
            assert status(True) not in (401, 403, 500), f"{method} {path}"


def test_problems_have_pages(api):
    """The type of a problem leads to what happened and what to do."""
    refusal = api.get("watches/999999999")
    page = api.get(refusal.json["type"], token=False)
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/plain")
    assert b"What happened" in page.body and b"What to do" in page.body
    assert api.get("/problems/none", token=False).status == 404


def test_hostile_and_random_requests(service, api, tmp_path):
    """Schemathesis: no request brings a failure of the service, or an answer that is not described."""
    pytest.importorskip("schemathesis")
    api.ok("POST", "trackers", {"name": "known", "type": "bugzilla", "base_url": "http://127.0.0.1:1/",
                                "enabled": False})
    watch = api.watch("http://127.0.0.1:1/show_bug.cgi?id=1")
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'[parameters]\n"path.name" = "known"\n"path.id" = "{watch["id"]}"\n')
    done = subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "--config-file", config, "--no-color", "run",
         f"{api.url}/api/v1/openapi.json", "--url", api.url, "--header", f"Authorization: Bearer {api.token}",
         "--max-examples", "30", "--mode", "all", "--phases", "coverage,fuzzing", "--generation-deterministic",
         "--request-timeout", "30",
         # What has no end, and what would take the token that all others need.
         "--exclude-path", "/api/v1/events", "--exclude-operation-id", "delete-tokens-id",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
         "response_schema_conformance,response_headers_conformance,negative_data_rejection"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "generated" in done.stdout
    service.check_clean()
