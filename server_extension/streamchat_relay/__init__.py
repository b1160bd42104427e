"""The relay: streams LLM answers from a Jupyter server to browsers and kernels."""

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter server where the extension application is."""
    # Imported here because a kernel imports this package without jupyter_server.
    from streamchat_relay.hosts.jupyter import StreamChat  # noqa: PLC0415
    from streamchat_relay.hosts.secrecy import hide_configured_keys  # noqa: PLC0415

    hide_configured_keys()
    return [{"module": "streamchat_relay", "app": StreamChat}]
