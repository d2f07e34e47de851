"""Two rules of Route 53. Without them a person's record is written beside, and no role may follow its own changes."""

import re

from ministack.core import iam_actions
from ministack.services import route53

APEX = "everleaf-correction-probe.example."

original_change = route53._change_resource_record_sets
original_arn = iam_actions.extract_resource_arn


def change_resource_record_sets(zone_id, body):
    """Simple routing knows one record set of a name and type: none stands beside it."""
    before = route53._records.get(zone_id)
    response = original_change(zone_id, body)
    if response[0] != 200:
        return response
    clash = clash_among(route53._records[zone_id])
    if clash is None:
        return response
    route53._records[zone_id] = before
    name, kind = clash
    return route53._error_response(
        "InvalidChangeBatch",
        f"RRSet with DNS name {name}, type {kind} cannot be created as other RRSets exist with the same name and type.",
    )


def clash_among(records):
    """Name and type that a simple record set shares with another one, or None."""
    alone = {(each["Name"], each["Type"]) for each in records if "SetIdentifier" not in each}
    among = {(each["Name"], each["Type"]) for each in records if "SetIdentifier" in each}
    return next(iter(alone & among), None)


def extract_resource_arn(service, method, path, *rest):
    """GetChange is authorized for its change, arn:aws:route53:::change/ID."""
    change = re.fullmatch(r"/2013-04-01/change/([^/]+)", path) if service == "route53" else None
    return f"arn:aws:route53:::change/{change[1]}" if change else original_arn(service, method, path, *rest)


def create(zone_id, identity):
    """Asks for one TXT record set. Answers the status."""
    body = f"""<ChangeResourceRecordSetsRequest><ChangeBatch><Changes><Change><Action>CREATE</Action>
        <ResourceRecordSet><Name>{APEX}</Name><Type>TXT</Type>{identity}<TTL>10</TTL><ResourceRecords>
        <ResourceRecord><Value>"1"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
        </Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"""
    return route53._change_resource_record_sets(zone_id, body.encode())[0]


def departures():
    zone_id = "ZEVERLEAFCORRECTION"
    route53._zones[zone_id] = {"id": zone_id, "name": APEX}
    route53._records[zone_id] = []
    statuses = [create(zone_id, ""), create(zone_id, "<SetIdentifier>1</SetIdentifier>")]
    del route53._zones[zone_id], route53._records[zone_id]
    route53._changes.clear()
    arn = iam_actions.extract_resource_arn("route53", "GET", "/2013-04-01/change/C1", {}, b"", {}, "us-east-1", "1" * 12)
    return {
        "a multivalue answer is taken beside a simple record of its name and type": statuses == [200, 200],
        "a look at a change is authorized for no change in particular": arn == "*",
    }


def correct():
    route53._change_resource_record_sets = change_resource_record_sets
    iam_actions.extract_resource_arn = extract_resource_arn
