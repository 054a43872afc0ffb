"""What schemathesis has to know of this service beyond its document."""

import json
import os

import schemathesis
from schemathesis.specs.openapi import checks

# A token that is unknown is answered like a record that is not there (404), so that nobody can tell the two apart;
# one that is missing, with 401. Anything else after a call that was answered 2xx is a token that was ignored.
checks.AUTH_REJECTION_STATUSES = frozenset({401, 404})


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Puts records that there are in the place of the made-up id that stands in the document as an example."""
    records = json.loads(os.environ["MANYHANDS_TEST_RECORDS"])
    for path, item in raw_schema["paths"].items():
        of = {"id": path.split("/")[2], "mid": "matches", "other": "requests"}
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                ids = records.get(of.get(parameter["name"]))
                if parameter["in"] == "path" and ids:
                    parameter["schema"]["examples"] = ids


@schemathesis.serializer("text/csv")
def csv(ctx, value):
    """A sheet is sent as it is written."""
    return value if isinstance(value, (bytes, bytearray)) else str(value).encode("utf-8", "replace")
