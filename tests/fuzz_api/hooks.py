"""What schemathesis has to know of this service beyond its document."""

import json
import os

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

# A token that is unknown is answered like a record that is not there (404), so that nobody can tell the two apart;
# one that is missing, with 401. Anything else after a call that was answered 2xx is a token that was ignored.
checks.AUTH_REJECTION_STATUSES = frozenset({401, 404})


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Puts records that there are in the place of the made-up id that stands in the document as an example."""
    records = json.loads(os.environ["MANYHANDS_TEST_RECORDS"])
    stages = json.loads(os.environ["MANYHANDS_TEST_STAGES"])
    for path, item in raw_schema["paths"].items():
        of = {"id": path.split("/")[2], "mid": "matches", "other": "requests"}
        for method, operation in item.items():
            stage = stages.get(f"{method.upper()} {path}", {})
            own = {name: [value] for name, value in stage.get("path", {}).items()}
            for parameter in operation.get("parameters", []):
                name = parameter["name"]
                examples = own.get(name) or records.get(of.get(name))
                if parameter["in"] == "path" and examples:
                    parameter["schema"]["examples"] = examples
            if "body" in stage:
                operation["requestBody"]["content"]["application/json"]["example"] = stage["body"]


@schemathesis.hook
def after_call(context, case, response):
    """Notes which operation has done what it was asked, with something that the document calls right."""
    is_right = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    if is_right and 200 <= response.status_code < 300:
        with open(os.environ["MANYHANDS_TEST_TAKEN"], "a", encoding="utf-8") as taken:
            taken.write(case.operation.label + "\n")


@schemathesis.serializer("text/csv")
def csv(ctx, value):
    """A sheet is sent as it is written."""
    return value if isinstance(value, (bytes, bytearray)) else str(value).encode("utf-8", "replace")
