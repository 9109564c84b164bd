"""What trails record, what analyzers watch, and what hides findings, asked of templates and of plans."""

from __future__ import annotations

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template

BEFORE = """
Parameters: {On: {Type: String}, Log: {Type: String, Default: logs}}
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Handler: a.b, Role: x, Runtime: python3.14}}
"""
TRAIL = BEFORE + "  T: {Type: AWS::CloudTrail::Trail, Properties: {S3BucketName: !Ref Log, %s}}\n"
WHOLE = "IsLogging: true, IsMultiRegionTrail: true, EnableLogFileValidation: true"
ALL = "EventSelectors: [{DataResources: [{Type: 'AWS::Lambda::Function', Values: ['arn:aws:lambda']}]}]"
CATEGORY = "{Field: eventCategory, Equals: [Data]}"
KIND = "{Field: resources.type, Equals: ['AWS::Lambda::Function']}"


def advanced(*fields: str) -> str:
    return f"AdvancedEventSelectors: [{{Name: a, FieldSelectors: [{', '.join(fields)}]}}]"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (f"{WHOLE}, {ALL}", True),
        (f"IsLogging: true, {ALL}", True),  # of the Region where the template's functions are
        (f"{WHOLE}, {ALL}".replace("'arn:aws:lambda'", "!Sub 'arn:${AWS::Partition}:lambda'"), True),
        (f"{WHOLE}, {advanced(CATEGORY, KIND)}", True),
        (f"{WHOLE}, {advanced(CATEGORY, KIND, '{Field: readOnly, Equals: [true]}')}", NOTHING),
        (f"{WHOLE}, {advanced(CATEGORY, KIND.replace('Equals', 'NotEquals'))}", NOTHING),
        (f"{WHOLE}, {advanced(CATEGORY, KIND, '{Field: resources.ARN, StartsWith: [x]}')}", NOTHING),
        (f"{WHOLE}, {ALL.replace('arn:aws:lambda', 'arn:aws:lambda:eu-west-1:1:function:f')}", NOTHING),
        (f"{WHOLE}, {ALL.replace('[{Data', '[{ReadWriteType: ReadOnly, Data')}", NOTHING),
        (f"{WHOLE}, {ALL.replace('AWS::Lambda::Function', 'AWS::S3::Object')}", NOTHING),
        (WHOLE, NOTHING),
        (f"IsLogging: false, IsMultiRegionTrail: true, {ALL}", False),
        (f"IsLogging: !Ref On, IsMultiRegionTrail: true, {ALL}", UNKNOWN),
        (f"{WHOLE}, EventSelectors: !Ref On", UNKNOWN),
    ],
)
def test_whether_a_trail_records_the_invocations_of_every_function(properties: str, expected: object) -> None:
    assert answer(found(template(TRAIL % properties), "account", "invocation_events")) == expected


def test_a_trail_of_one_region_is_none_of_functions_elsewhere() -> None:
    alone = TRAIL.replace("AWS::Lambda::Function,", "AWS::SNS::Topic,")
    assert answer(found(template(alone % f"IsLogging: true, {ALL}"), "account", "invocation_events")) == UNKNOWN
    selector = "event_selector: [{data_resource: [{type: 'AWS::Lambda::Function', values: ['arn:aws:lambda']}]}]"
    of_one = f"aws_cloudtrail.a: {{{selector}}}\naws_lambda_function.f: {{}}"
    assert answer(found(plan(of_one), "account", "invocation_events")) == UNKNOWN
    of_all = of_one.replace("{event", "{is_multi_region_trail: true, event", 1)
    assert answer(found(plan(of_all), "account", "invocation_events")) is True
    off = of_all.replace("{is_multi", "{enable_logging: false, is_multi", 1)
    assert answer(found(plan(off), "account", "invocation_events")) is False


OWN = TRAIL.replace("Parameters:", "Parameters:").replace("!Ref Log,", "!Ref B,") + "  B: {Type: AWS::S3::Bucket%s}\n"
LOCKED = (
    ", Properties: {ObjectLockEnabled: true,"
    " ObjectLockConfiguration: {Rule: {DefaultRetention: {Mode: COMPLIANCE, Days: 365}}}}"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRAIL % WHOLE, UNKNOWN),  # never that it is out of reach
        (TRAIL % WHOLE.replace("IsLogging: true", "IsLogging: false"), False),
        (TRAIL % WHOLE.replace(", EnableLogFileValidation: true", ""), False),
        (TRAIL % f"{WHOLE}, IncludeGlobalServiceEvents: false", False),
        (TRAIL % f"{WHOLE}, EventSelectors: [{{ReadWriteType: WriteOnly}}]", False),
        (TRAIL % f"{WHOLE}, EventSelectors: [{{IncludeManagementEvents: false}}]", False),
        (TRAIL % f"{WHOLE}, EventSelectors: [{{ExcludeManagementEventSources: [kms.amazonaws.com]}}]", False),
        (TRAIL % f"{WHOLE}, {advanced('{Field: eventCategory, Equals: [Management]}')}", UNKNOWN),
        (TRAIL % f"{WHOLE}, {advanced(CATEGORY, KIND)}", False),
        # a trail of one Region serves a purpose of its own
        (TRAIL % "IsLogging: true", UNKNOWN),
        (OWN % (WHOLE, ""), False),
        (OWN % (WHOLE, LOCKED), UNKNOWN),
        (OWN % (f"{WHOLE}, IsOrganizationTrail: true", ""), UNKNOWN),  # the bucket is the management account's
        ((TRAIL % WHOLE.replace("IsLogging: true", "IsLogging: !Ref On")), UNKNOWN),
        (BEFORE, NOTHING),
    ],
)
def test_a_trail_for_all_regions_that_records_too_little_denies_it(text: str, expected: object) -> None:
    assert answer(found(template(text), "account", "cloudtrail")) == expected


def test_a_weak_trail_beside_a_whole_one_denies_nothing() -> None:
    properties = "S3BucketName: x, IsLogging: true, IsMultiRegionTrail: true"
    second = f"  U: {{Type: AWS::CloudTrail::Trail, Properties: {{{properties}}}}}\n"
    assert answer(found(template(TRAIL % WHOLE + second), "account", "cloudtrail")) == UNKNOWN
    assert answer(found(template(BEFORE + second), "account", "cloudtrail")) is False


ANALYZER = BEFORE + "  A: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {%s}}\n"


def ruled(*filters: str) -> str:
    return f"Type: ACCOUNT, ArchiveRules: [{{RuleName: r, Filter: [{', '.join(filters)}]}}]"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("Type: ACCOUNT", True),
        ("Type: ORGANIZATION", True),
        ("Type: ACCOUNT_UNUSED_ACCESS", NOTHING),
        ("Type: !Ref On", UNKNOWN),
        (ruled("{Property: principal.AWS, Eq: ['111122223333']}"), True),
        (ruled("{Property: principal.AWS, Eq: ['*']}"), UNKNOWN),
        (ruled("{Property: isPublic, Eq: ['true']}"), False),
        (ruled("{Property: isPublic, Eq: ['false']}"), UNKNOWN),
        (ruled("{Property: resourceType, Eq: ['AWS::S3::Bucket']}"), False),
        (ruled("{Property: resource, Eq: ['arn:aws:s3:::site']}"), True),
        (ruled("{Property: !Ref On, Eq: [a]}"), UNKNOWN),
    ],
)
def test_an_analyzer_watches_unless_a_rule_hides_what_others_reach(properties: str, expected: object) -> None:
    assert answer(found(template(ANALYZER % properties), "account", "access_analyzer")) == expected


def test_an_analyzer_of_another_file_may_be_in_another_region() -> None:
    alone = "A: {Type: AWS::AccessAnalyzer::Analyzer, Properties: {Type: ACCOUNT}}\n"
    assert answer(found(template("  " + alone), "account", "access_analyzer")) == UNKNOWN
    of_it = "aws_accessanalyzer_archive_rule.r: {analyzer_name: a, filter: [%s]}"
    rule = f"aws_accessanalyzer_analyzer.a: {{type: ACCOUNT, analyzer_name: a}}\n{of_it}"
    hides = plan(rule % "{criteria: isPublic, eq: ['true']}")
    assert answer(found(hides, "account", "access_analyzer")) is False


HUB = "  H: {Type: AWS::SecurityHub::Hub, Properties: {}}\n"
RULE = "  R: {Type: AWS::SecurityHub::AutomationRule, Properties: {%s}}\n"
SUPPRESS = "Actions: [{Type: FINDING_FIELDS_UPDATE, FindingFieldsUpdate: {Workflow: {Status: SUPPRESSED}}}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HUB, UNKNOWN),
        (HUB + RULE % f"RuleStatus: ENABLED, Criteria: {{}}, {SUPPRESS}", False),
        (RULE % f"Criteria: {{SeverityLabel: [{{Comparison: EQUALS, Value: CRITICAL}}]}}, {SUPPRESS}", False),
        (RULE % f"Criteria: {{SeverityLabel: [{{Comparison: EQUALS, Value: LOW}}]}}, {SUPPRESS}", UNKNOWN),
        (RULE % f"Criteria: {{ResourceId: [{{Comparison: EQUALS, Value: a}}]}}, {SUPPRESS}", UNKNOWN),
        (RULE % f"RuleStatus: DISABLED, Criteria: {{}}, {SUPPRESS}", UNKNOWN),
        (RULE % f"Criteria: {{}}, {SUPPRESS.replace('SUPPRESSED', 'NOTIFIED')}", UNKNOWN),
    ],
)
def test_a_rule_that_suppresses_all_checks_denies_that_they_are_worked_on(text: str, expected: object) -> None:
    assert answer(found(template(text), "account", "security_hub")) == expected


ROUTED = """
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: a@example.com}]}}
  LetIn:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sns:Publish}]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.guardduty], detail-type: [GuardDuty Finding]}
      Targets: [{Id: a, Arn: !Ref Topic}]
"""
FILTER = "  S: {Type: AWS::GuardDuty::Filter, Properties: {DetectorId: d, %s}}\n"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("Action: NOOP, FindingCriteria: {Criterion: {}}", True),
        ("FindingCriteria: {Criterion: {}}", True),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {}}", False),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {severity: {Gte: 1}}}", False),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {severity: {Lt: 4}}}", True),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {severity: {Eq: ['8']}}}", False),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {type: {Eq: ['Recon:EC2/Portscan']}}}", UNKNOWN),
        ("Action: ARCHIVE, FindingCriteria: {Criterion: {id: {Eq: [a]}}}", True),
        ("Action: !ImportValue a, FindingCriteria: {Criterion: {}}", UNKNOWN),
        ("Action: ARCHIVE, FindingCriteria: !ImportValue a", UNKNOWN),
    ],
)
def test_what_a_filter_archives_reaches_nobody(properties: str, expected: object) -> None:
    assert answer(found(template(ROUTED), "account", "findings_routed")) is True
    assert answer(found(template(ROUTED + FILTER % properties), "account", "findings_routed")) == expected


def test_a_plan_says_the_same_of_filters_and_recorders() -> None:
    text = "aws_guardduty_filter.a: {action: ARCHIVE, finding_criteria: [{criterion: [{field: severity, %s}]}]}"
    assert answer(found(plan(text % "greater_than_or_equal: '4'"), "account", "findings_routed")) is False
    off = "aws_config_configuration_recorder_status.a: {name: x, is_enabled: false}"
    assert answer(found(plan(off), "account", "config_recording")) is False
