"""What a policy says of one call: a statement speaks where its principal, action, resource and conditions all fit."""

from dataclasses import dataclass
from enum import Enum

from clary.policies.document import Condition, Names, Policy, Statement
from clary.policies.patterns import Context, matches


class Verdict(Enum):
    DENY = "Deny"
    """Whatever else allows it."""
    ALLOW = "Allow"
    NEUTRAL = ""
    """It says nothing of the call."""


@dataclass(frozen=True, slots=True)
class Question:
    principals: frozenset[str]
    """Every name that the caller goes by, kind first: `AWS:123456789012`, `AWS:arn:aws:iam::…:role/Name` …; empty for
    somebody who did not sign."""
    action: str
    """`s3:GetObject`."""
    resource: str
    """`arn:aws:s3:::bucket/key`."""
    context: Context


def judge(policy: Policy, question: Question) -> Verdict:
    verdict = Verdict.NEUTRAL
    variables = question.context if policy.variables else None
    for statement in policy.statements:
        if statement.allows and verdict is Verdict.ALLOW:
            continue
        if _speaks(statement, question, variables):
            if not statement.allows:
                return Verdict.DENY
            verdict = Verdict.ALLOW
    return verdict


def _speaks(statement: Statement, question: Question, variables: Context | None) -> bool:
    return (
        (statement.principals is None or _is_about(statement.principals, question.principals))
        and any(matches(each, question.action, ignore_case=True) for each in statement.actions.values)
        is not statement.actions.negated
        and _covers(statement.resources, question.resource, variables)
        and all(holds(condition, question.context, variables) for condition in statement.conditions)
    )


def _is_about(principals: Names, caller: frozenset[str]) -> bool:
    return any(name == "*" or name in caller for name in principals.values) is not principals.negated


def _covers(resources: Names, resource: str, variables: Context | None) -> bool:
    return any(matches(each, resource, variables) for each in resources.values) is not resources.negated


def holds(condition: Condition, context: Context, variables: Context | None) -> bool:
    found = context(condition.key)
    if condition.operator is None:
        return any((found is None) is (value == "true") for value in condition.values)
    if found is None:
        if condition.quantifier:
            return condition.if_exists or condition.quantifier == "ForAllValues:"
        return condition.if_exists or condition.operator.negated
    passed = [_passes(condition, value, variables) for value in found]
    # Without a quantifier a key of several values is read as its negation or assertion naturally is.
    every = condition.quantifier == "ForAllValues:" or (not condition.quantifier and condition.operator.negated)
    return all(passed) if every else any(passed)


def _passes(condition: Condition, value: str, variables: Context | None) -> bool:
    assert condition.operator is not None
    compare, negated = condition.operator.compare, condition.operator.negated
    try:
        return any(compare(wanted, value, variables) for wanted in condition.values) is not negated
    except ValueError:
        return negated  # the call's own value is no number, date or address
