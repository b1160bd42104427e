"""Providers: who answers. Adapters from each wire to outputs."""

from streamchat_relay.providers.demo import DemoProvider
from streamchat_relay.providers.registry import ProviderRegistry
from streamchat_relay.providers.settings import RegistrySettings

__all__ = ["DemoProvider", "ProviderRegistry", "RegistrySettings"]
