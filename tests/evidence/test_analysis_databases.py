"""Databases: who reaches them over the network, and whether their password is in the file, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.asking import NOTHING, UNKNOWN, answer, found, plan, template
from threatmodel.command.main import main


def database(properties: str, more: str = "") -> str:
    return f"  D: {{Type: AWS::RDS::DBInstance, Properties: {{{properties}}}}}\n{more}"


GROUP = "  G: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: d, SecurityGroupIngress: [{0}]}}}}\n"
IN_GROUP = "VPCSecurityGroups: [!GetAtt G.GroupId]"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("PubliclyAccessible: true", True),
        ('PubliclyAccessible: "true"', True),
        ("PubliclyAccessible: false", False),
        ("Engine: mysql", NOTHING),
        ("PubliclyAccessible: !ImportValue p", UNKNOWN),
    ],
)
def test_public_address(properties: str, expected: object) -> None:
    assert answer(found(template(database(properties)), "store", "public_address")) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{IpProtocol: tcp, FromPort: 3306, ToPort: 3306, CidrIp: 0.0.0.0/0}", False),
        ('{IpProtocol: tcp, FromPort: 3306, ToPort: 3306, CidrIpv6: "::/0"}', False),
        ("{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}", False),
        ("{IpProtocol: tcp, FromPort: 440, ToPort: 450, CidrIp: 0.0.0.0/0}", False),
        ("{IpProtocol: -1, CidrIp: 0.0.0.0/0}", False),
        ("{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}", NOTHING),
        ("{IpProtocol: tcp, FromPort: 3306, ToPort: 3306, CidrIp: 10.0.0.0/8}", NOTHING),
        ("{IpProtocol: icmp, FromPort: -1, ToPort: -1, CidrIp: 0.0.0.0/0}", NOTHING),
    ],
)
def test_ports_open_to_the_internet(rule: str, expected: object) -> None:
    own = database(IN_GROUP, GROUP.format(rule))
    assert answer(found(template(own), "store", "ingress_restricted")) == expected
    beside = f"  I: {{Type: AWS::EC2::SecurityGroupIngress, Properties: {{GroupId: !Ref G, {rule[1:-1]}}}}}\n"
    separate = database(IN_GROUP, GROUP.format("") + beside)
    assert answer(found(template(separate), "store", "ingress_restricted")) == expected


def test_a_rule_of_another_group_says_nothing_of_the_database() -> None:
    rule = "{IpProtocol: tcp, FromPort: 3306, ToPort: 3306, CidrIp: 0.0.0.0/0}"
    text = database("Engine: mysql", GROUP.format(rule))
    assert answer(found(template(text), "store", "ingress_restricted")) == NOTHING


@pytest.mark.parametrize(
    ("public", "cidr", "expected"),
    [
        ("true", "0.0.0.0/0", True),
        ("true", "203.0.113.0/24", UNKNOWN),
        ("false", "0.0.0.0/0", False),
        ("!ImportValue p", "0.0.0.0/0", UNKNOWN),
    ],
)
def test_a_database_is_open_if_it_has_an_address_and_its_group_admits_everyone(
    public: str, cidr: str, expected: object
) -> None:
    rule = f"{{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: {cidr}}}"
    text = database(f"{IN_GROUP}, PubliclyAccessible: {public}", GROUP.format(rule))
    told = answer(found(template(text), "store", "open_to_public"))
    assert (UNKNOWN if told == NOTHING else told) == expected


PASSWORDS = [
    ("MasterUserPassword: Winter2024!", True),
    ("MasterUserPassword: changeme", True),
    ("MasterUserPassword: !Ref Shown", True),
    ("MasterUserPassword: !Ref Hidden", False),
    ("MasterUserPassword: !Ref HiddenWithDefault", True),  # the default stands in the file
    ('MasterUserPassword: "{{resolve:secretsmanager:db:SecretString:password}}"', False),
    ('MasterUserPassword: "{{resolve:ssm-secure:/db/password}}"', False),
    ('MasterUserPassword: "{{resolve:ssm:/db/password}}"', UNKNOWN),
    ("MasterUserPassword: !ImportValue password", UNKNOWN),
    ("ManageMasterUserPassword: true", False),
    ("ManageMasterUserPassword: true, MasterUserPassword: hunter2", True),
    ("Engine: mysql", NOTHING),
]
PARAMETERS = """Parameters:
  Shown: {Type: String}
  Hidden: {Type: String, NoEcho: true}
  HiddenWithDefault: {Type: String, NoEcho: true, Default: hunter2}
Resources:
"""


@pytest.mark.parametrize("type_", ["AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::DocDB::DBCluster"])
@pytest.mark.parametrize(("properties", "expected"), PASSWORDS)
def test_passwords(type_: str, properties: str, expected: object) -> None:
    text = f"{PARAMETERS}  D: {{Type: {type_}, Properties: {{{properties}}}}}\n"
    outcome = found(template(text), "store", "password_in_plaintext")
    assert answer(outcome) == expected
    assert "hunter2" not in repr(outcome)
    assert "Winter2024" not in repr(outcome)


@pytest.mark.parametrize(
    "text",
    [
        "  D: {Type: AWS::Redshift::Cluster, Properties: {MasterUserPassword: hunter2}}",
        "  D: {Type: AWS::ElastiCache::ReplicationGroup, Properties: {AuthToken: hunter2}}",
        (
            "  D: {Type: AWS::OpenSearchService::Domain, Properties: {AdvancedSecurityOptions: "
            "{MasterUserOptions: {MasterUserPassword: hunter2}}}}"
        ),
        (
            "  D: {Type: AWS::RDS::DBInstance, Properties: {DBClusterIdentifier: !Ref C}}\n"
            "  C: {Type: AWS::RDS::DBCluster, Properties: {MasterUserPassword: hunter2}}"
        ),
    ],
)
def test_other_databases_and_caches(text: str) -> None:
    assert answer(found(template(text), "store", "password_in_plaintext")) is True


@pytest.mark.parametrize(
    "text",
    [
        "aws_db_instance.d: {password: hunter2}",
        "aws_redshift_cluster.d: {master_password: hunter2}",
        "aws_rds_cluster.d: {master_password: hunter2}",
        "aws_docdb_cluster.d: {master_password: hunter2}",
        "aws_elasticache_replication_group.d: {auth_token: hunter2}",
    ],
)
def test_passwords_in_a_plan(text: str) -> None:
    assert answer(found(plan(text), "store", "password_in_plaintext")) is True


NEWER = (
    "aws_security_group.g: {}\naws_vpc_security_group_ingress_rule.r: "
    '{security_group_id: "${aws_security_group.g.id}", '
    "ip_protocol: tcp, from_port: 3306, to_port: 3306, cidr_ipv4: 0.0.0.0/0}"
)
RULES = [
    NEWER,
    "aws_security_group.g: {ingress: [{protocol: tcp, from_port: 3306, to_port: 3306, cidr_blocks: [0.0.0.0/0]}]}",
    (
        "aws_security_group.g: {}\naws_security_group_rule.r: {type: ingress, security_group_id: "
        '"${aws_security_group.g.id}", protocol: tcp, from_port: 3306, to_port: 3306, ipv6_cidr_blocks: ["::/0"]}'
    ),
]


@pytest.mark.parametrize("rule", RULES)
def test_an_open_port_in_a_plan(rule: str) -> None:
    text = 'aws_db_instance.d: {publicly_accessible: true, vpc_security_group_ids: ["${aws_security_group.g.id}"]}\n'
    stack = plan(text + rule)
    assert answer(found(stack, "store", "ingress_restricted")) is False
    assert answer(found(stack, "store", "open_to_public")) is True


def test_an_egress_rule_admits_nobody() -> None:
    text = 'aws_db_instance.d: {vpc_security_group_ids: ["${aws_security_group.g.id}"]}\n'
    rule = RULES[2].replace("type: ingress", "type: egress")
    assert answer(found(plan(text + rule), "store", "ingress_restricted")) == NOTHING


TEMPLATE = """Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: a.b, Code: {ZipFile: x}, Role: r}}
  Orders:
    Type: AWS::RDS::DBInstance
    Properties: {PubliclyAccessible: true, MasterUserPassword: hunter2, VPCSecurityGroups: [!GetAtt G.GroupId]}
  G:
    Type: AWS::EC2::SecurityGroup
    Properties: {SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 3306, ToPort: 3306, CidrIp: 0.0.0.0/0}]}
"""


def test_an_open_database_is_the_first_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    assert main(["import", str(tmp_path / "template.yaml"), "-o", str(tmp_path / "m.yaml")]) == 0
    capsys.readouterr()
    assert main(["check", str(tmp_path / "m.yaml")]) == 1
    out = capsys.readouterr().out
    first = out.split("\n\n")[1:3]
    assert any("Exposed database" in block for block in first)
    assert any("Hard-coded database password" in block for block in first)
    assert "hunter2" not in out
