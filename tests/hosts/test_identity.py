"""Whose conversations a request sees: the owner's where nobody has a name, else one's own."""

from __future__ import annotations

import getpass

import pytest
from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.identity import LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.auth.login import LegacyLoginHandler, LoginFormHandler

from streamchat_relay.hosts.identity import kernel_user_key, user_key

ADA = User("ada")


class NamingLogin(LegacyLoginHandler):
    @classmethod
    def get_user(cls, handler: object) -> str:
        return "ada"


class OtherLooks(LegacyLoginHandler):
    """The same users behind another page."""


class NamingForm(LoginFormHandler):
    """May write any user into the cookie."""


class Names(IdentityProvider):
    pass


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        (IdentityProvider(), "owner"),
        (PasswordIdentityProvider(), "owner"),
        (LegacyIdentityProvider(), "owner"),
        (LegacyIdentityProvider(login_handler_class=OtherLooks), "owner"),
        (LegacyIdentityProvider(login_handler_class=NamingLogin), "user:ada"),
        (PasswordIdentityProvider(login_handler_class=NamingForm), "user:ada"),
        (Names(), "user:ada"),
    ],
    ids=["token", "password", "legacy", "legacy looks", "legacy names", "form names", "names"],
)
def test_a_provider_that_may_know_names_separates_its_users(
    provider: IdentityProvider, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert user_key(provider, ADA) == key
    assert kernel_user_key(provider) == key


def test_a_kernels_user_has_a_key_where_the_machine_knows_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1000680000")

    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", nobody)
    assert kernel_user_key(Names()) == "owner"
