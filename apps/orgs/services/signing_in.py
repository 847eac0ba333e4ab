"""Signing in: the password, and for who turned it on a second step with a code from an app (RFC 6238).

A wrong name, a wrong password and a person who is shut out are refused alike and in the same time: the password of
nobody is hashed too.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.orgs.errors import NoSecondStep, SecondStepIsOn, WrongCode, WrongOwnPassword, WrongPassword
from apps.orgs.models import Staff
from apps.orgs.services.actors import signed
from apps.orgs.services.people import locked_staff, set_password
from apps.orgs.services.tries import Visitor, counted_try, counters_of

RECOVERY_CODES = 10


def staff_for_password(username: str, password: str, visitor: Visitor, when: datetime) -> Staff:
    """The person whose name and password these are. Raises WrongPassword, TooManyTries."""
    with counted_try(when, *counters_of(username, visitor)):
        staff = authenticate(username=username, password=password)
        if not isinstance(staff, Staff) or not staff.is_staff:
            raise WrongPassword()
    return staff


def change_own_password(person: Staff, present: str, wanted: str, when: datetime) -> None:
    """Replaces the person's own password, which ends their other sessions. Raises WrongOwnPassword, TooManyTries."""
    _confirm_password(person, present, when)
    set_password(person, wanted, actor=person)


def has_second_step(person: Staff) -> bool:
    return bool(TOTPDevice.objects.filter(user=person, confirmed=True).exists())


def pass_second_step(person: Staff, code: str, visitor: Visitor, when: datetime) -> None:
    """Returns when `code` is what the app shows, or a recovery code not used before. Raises WrongCode, TooManyTries."""
    counters = counters_of(f"second step {person.pk}", visitor)
    with counted_try(when, *counters), transaction.atomic():
        if not any(device.verify_token(_plain(code)) for device in _devices(person)):
            raise WrongCode()


def begin_second_step(person: Staff) -> None:
    """Makes the secret that the app will be given; nothing is asked for until it is confirmed.

    Raises SecondStepIsOn.
    """
    if has_second_step(person):
        raise SecondStepIsOn()
    with transaction.atomic():
        _clear(person)
        TOTPDevice.objects.create(user=person, name="app", confirmed=False)


def unconfirmed_device(person: Staff) -> TOTPDevice | None:
    """The secret that was begun and is not confirmed yet."""
    return TOTPDevice.objects.filter(user=person, confirmed=False).first()


@transaction.atomic
def confirm_second_step(person: Staff, code: str) -> list[str]:
    """Turns the second step on, once `code` shows that the app holds the secret; the recovery codes, shown this once.

    Raises WrongCode, SecondStepIsOn.
    """
    device = TOTPDevice.objects.select_for_update().filter(user=person).first()
    if device is not None and device.confirmed:
        raise SecondStepIsOn()
    if device is None or not device.verify_token(_plain(code)):
        raise WrongCode()
    device.confirmed = True
    device.save()
    recovery = StaticDevice.objects.create(user=person, name="recovery")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    _note(person, "second step on")
    return codes


def turn_off_second_step(person: Staff, password: str, when: datetime) -> None:
    """Leaves the person with the password alone. Raises NoSecondStep, WrongOwnPassword, TooManyTries."""
    if not has_second_step(person):
        raise NoSecondStep()
    _confirm_password(person, password, when)
    with transaction.atomic():
        _clear(person)
        _note(person, "second step off")


@transaction.atomic
def reset_second_step(staff: Staff, *, actor: Staff | None = None) -> None:
    """Takes the second step off `staff`, who lost the app and the codes. Raises NoSecondStep, NotAllowed, BeyondReach."""
    staff = locked_staff(staff, actor, own_allowed=False)
    if not has_second_step(staff):
        raise NoSecondStep()
    _clear(staff)
    signed(staff, actor, "second step reset").save()


def _confirm_password(person: Staff, password: str, when: datetime) -> None:
    # Counted for the person alone: whoever asks is signed in as them.
    with counted_try(when, f"own password {person.pk}"):
        if not person.check_password(password):
            raise WrongOwnPassword()


def _devices(person: Staff) -> list[Any]:
    """What a code of `person` is held against, locked: a code works once."""
    return [
        *TOTPDevice.objects.select_for_update().filter(user=person, confirmed=True),
        *StaticDevice.objects.select_for_update().filter(user=person, confirmed=True),
    ]


def _note(person: Staff, reason: str) -> None:
    """A row in the person's own history."""
    signed(locked_staff(person, person, own_allowed=True), person, reason).save()


def _plain(code: str) -> str:
    return "".join(code.split()).lower()


def _clear(person: Staff) -> None:
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
