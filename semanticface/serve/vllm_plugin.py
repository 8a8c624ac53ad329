"""What this package adds to a vLLM server, by vLLM's two documented entry points.

`vllm.general_plugins` registers the one-pass model; `vllm.endpoint_plugins` adds the
route at which a client learns what a model was trained to be asked, marks every reply with
it, and has the server's key asked for wherever there is one. Nothing of vLLM is patched. Both
are loaded by vLLM, and only where `VLLM_PLUGINS` names `semanticface`.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from semanticface.serve.arguments import ONE_PASS
from semanticface.serve.guard import KeyGuard
from semanticface.serve.identity import PATH, VARIABLE, Served, from_json, mark_of, to_json
from semanticface.serve.loaded import Loaded
from semanticface.serve.marked import Marked


def register() -> None:
    """Tell vLLM of the one-pass model; called in each of its processes, maybe twice."""
    from importlib import import_module

    registry = import_module("vllm").ModelRegistry
    if ONE_PASS not in registry.get_supported_archs():
        registry.register_model(ONE_PASS, "semanticface.serve.one_pass_model:OnePassQwen3VL")


def _keys(app: Any) -> list[str]:
    """The server's keys, those of its command line before that of its environment."""
    told = getattr(getattr(app.state, "args", None), "api_key", None)
    return [key for key in told or [os.environ.get("VLLM_API_KEY", "")] if key]


class IdentityRoute:
    """`GET /semanticface`: the models' identities, as `semanticface serve` handed them over, and
    those of adapters that were loaded since."""

    name = "semanticface"
    required_tasks = None
    _loaded: Loaded | None = None

    def attach_router(self, app: Any) -> None:
        """Add the route; without identities there is none, and clients are told so by 404."""
        keys = _keys(app)
        if keys:
            app.add_middleware(KeyGuard, keys=keys)
        if VARIABLE not in os.environ:
            return
        started = _started()

        def identity() -> dict[str, Any]:
            if self._loaded is None:
                return dict(json.loads(to_json(started)))
            return dict(json.loads(to_json(self._loaded.now(_requests(app.state)))))

        async def mark() -> str:
            if self._loaded is None:
                return mark_of(json.loads(to_json(started)))
            requests, loaded = _requests(app.state), self._loaded
            return loaded.marked(requests) or await asyncio.to_thread(loaded.mark, requests)

        app.add_middleware(Marked, telling=mark)
        app.get(PATH)(identity)

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:
        """Which adapters there are from the start."""
        if VARIABLE in os.environ:
            self._loaded = Loaded(_started(), _requests(state))


def _started() -> Served:
    return from_json(json.loads(os.environ[VARIABLE]), VARIABLE)


def _requests(state: Any) -> dict[str, Any]:
    """The adapters that vLLM knows of just now; a server without a model knows none."""
    models = getattr(state, "openai_serving_models", None)
    return dict(getattr(models, "lora_requests", {}))
