"""Whose conversations a request may see: the key of its user."""

from __future__ import annotations

import getpass
import os
from typing import Any

from jupyter_server import CallContext
from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.identity import LegacyIdentityProvider, PasswordIdentityProvider
from jupyter_server.auth.login import LegacyLoginHandler, LoginFormHandler

OWNER = "owner"
"""The one user of a server that knows no names."""

_NAMELESS = (IdentityProvider, PasswordIdentityProvider, LegacyIdentityProvider)


def user_key(provider: IdentityProvider, user: User) -> str:
    """The key of an authenticated user's conversations.

    Jupyter's own providers check a token or a password and then invent a name for each browser
    (`generate_anonymous_user`). Who passes them is the server's owner, in whatever browser, or as
    a program. A provider that knows its users is taken at its word.
    """
    if not _knows_names(provider):
        return OWNER
    return f"user:{user.username}"


def kernel_user_key(provider: IdentityProvider) -> str:
    """The key of whoever a kernel acts for.

    Kernels belong to the server, so to its owner. Under JupyterHub that is the user the server was
    started for; a collaborator whom the hub lets in is somebody else.
    """
    if not _knows_names(provider):
        return OWNER
    hub_user = os.environ.get("JUPYTERHUB_USER")
    try:
        return f"user:{hub_user or getpass.getuser()}"
    except (KeyError, ImportError, OSError):
        # A container's arbitrary user id often has no name, and on Windows there may be none.
        return OWNER


def saver_key(provider: IdentityProvider) -> str:
    """The key of whoever's request saves a notebook; the server's owner where it is no request.

    Who shares a server with its owner may save a notebook that names the owner's conversation.
    """
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    user = None if handler is None else handler.current_user
    return kernel_user_key(provider) if user is None else user_key(provider, user)


def _knows_names(provider: IdentityProvider) -> bool:
    # In doubt yes: who shares a key by mistake reads another's chats.
    if type(provider) not in _NAMELESS:
        return True
    login: Any = provider.login_handler_class
    if isinstance(provider, LegacyIdentityProvider):
        # Older logins, JupyterHub's among them, name users in their handler.
        stock: Any = LegacyLoginHandler.get_user
        return getattr(login.get_user, "__func__", None) is not stock.__func__
    return login is not LoginFormHandler
