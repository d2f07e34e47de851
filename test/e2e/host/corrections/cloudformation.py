"""One rule of CloudFormation. Without it no template of more than 51,200 bytes is found, which the CDK command puts into its bucket."""

import re

from ministack.services import s3
from ministack.services.cloudformation import helpers

original = helpers._resolve_document

VIRTUAL_HOSTED = re.compile(r"https://([^/]+)\.s3(?:\.[a-z0-9-]+)?\.amazonaws\.com/(.+)")


def resolve_document(params, body_key, url_key, label):
    """A bucket may stand before the host as well as behind it."""
    found = VIRTUAL_HOSTED.fullmatch(helpers._p(params, url_key) or "")
    if found:
        params = {**params, url_key: [f"https://s3.amazonaws.com/{found[1]}/{found[2]}"]}
    return original(params, body_key, url_key, label)


def departures():
    asked = []
    read = s3._get_object_data
    s3._get_object_data = lambda bucket, key: asked.append((bucket, key))
    url = "https://assets.s3.us-east-1.amazonaws.com/folder/template.yml"
    helpers._resolve_document({"TemplateURL": [url]}, "TemplateBody", "TemplateURL", "Template")
    s3._get_object_data = read
    return {"a template's bucket is not looked for before the host": asked != [("assets", "folder/template.yml")]}


def correct():
    helpers._resolve_document = resolve_document
