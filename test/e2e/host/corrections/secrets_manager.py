"""Four rules of Secrets Manager. Without them no promotion is a compare-and-swap."""

import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import secretsmanager as secrets

NAME = "everleaf-correction-probe"
CURRENT = "AWSCURRENT"

original_create = secrets._create_secret
original_put = secrets._put_secret_value


def create_secret(data):
    """CreateSecret: only "if you include SecretString or SecretBinary" is there an initial version."""
    response = original_create(data)
    secret = secrets._secrets.get(data.get("Name"))
    if response[0] != 200 or "SecretString" in data or "SecretBinary" in data:
        return response
    secret["Versions"].clear()
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"]})


def put_secret_value(data):
    """PutSecretValue: a token names one value, a label one version, and a secret's first version is current."""
    _, secret = secrets._resolve(data.get("SecretId"))
    if not secret or secret.get("DeletedDate"):
        return original_put(data)
    versions = secret["Versions"]
    token = data.get("ClientRequestToken")
    if token in versions:
        if any(versions[token].get(field) != data.get(field) for field in ("SecretString", "SecretBinary")):
            return error_response_json("ResourceExistsException", f"Version {token} exists with another value.", 400)
        return answer(secret, token)
    is_first = not versions
    for label in data.get("VersionStages", []):
        if label != CURRENT:
            secrets._remove_stage_everywhere(secret, label)
    response = original_put(data)
    if response[0] != 200:
        return response
    version = json.loads(response[2])["VersionId"]
    if is_first and CURRENT not in versions[version]["Stages"]:
        secrets._add_stage(secret, version, CURRENT)
    return answer(secret, version)


def answer(secret, version):
    stages = list(secret["Versions"][version]["Stages"])
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version, "VersionStages": stages})


def put(token, value):
    request = {"SecretId": NAME, "ClientRequestToken": token, "SecretString": value, "VersionStages": ["AWSPENDING"]}
    return secrets._put_secret_value(request)[0]


def departures():
    secrets._create_secret({"Name": NAME})
    versions = secrets._secrets[NAME]["Versions"]
    seen = {"a secret is created with a version though no value was given": len(versions) > 0}
    versions.clear()
    put("a", "1")
    seen["a secret's first version is not made current"] = CURRENT not in versions["a"]["Stages"]
    put("b", "2")
    seen["a staging label is put on a second version and stays on the first"] = "AWSPENDING" in versions["a"]["Stages"]
    seen["a token is taken again with another value"] = put("b", "3") == 200
    del secrets._secrets[NAME]
    return seen


def correct():
    secrets._create_secret, secrets._put_secret_value = create_secret, put_secret_value
