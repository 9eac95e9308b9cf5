"""A hub on this machine, for tests: repositories from folders, over HTTP, as the clients of the
Hugging Face hub ask for them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

LARGE = 1000
"""Size from which files are kept by their SHA-256, as large ones are on the hub, bytes."""


@dataclass(eq=False)
class Repository:
    """What the hub has of a repository.

    Fields:
        files: name -> content
        card: front matter of its card
        gated: whether nobody may download files
        revisions: names that stand for its commit
        cut: name of a file -> number of downloads that break off in its middle
        replaced: name of a file -> what is sent in place of its content
    """

    files: dict[str, bytes]
    card: Mapping[str, Any] = field(default_factory=dict)
    gated: bool = False
    revisions: tuple[str, ...] = ("main",)
    cut: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, bytes] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """Changes with the files."""
        state = hashlib.sha1()
        for name in sorted(self.files):
            state.update(name.encode() + b"\0" + self.files[name] + b"\0")
        return state.hexdigest()

    def entry(self, name: str) -> dict[str, Any]:
        """A file as the hub lists it."""
        data = self.files[name]
        found: dict[str, Any] = {"size": len(data), "oid": hashlib.sha1(data).hexdigest()}
        if len(data) >= LARGE:
            sha256 = hashlib.sha256(data).hexdigest()
            found["lfs"] = {"oid": sha256, "sha256": sha256, "size": len(data), "pointerSize": 1}
        return found


@dataclass(eq=False)
class Hub:
    """A running hub.

    Fields:
        url: its address
        models: name -> repository
        datasets: name -> repository
        asked: the requests so far, as `METHOD path`
        token: with which one may write
    """

    url: str
    models: dict[str, Repository] = field(default_factory=dict)
    datasets: dict[str, Repository] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    token: str = "secret"

    def publish(self, name: str, lines: bytes) -> str:
        """Add the files of a commit to a model, as the client sends them; returns the commit."""
        repository = self.models[name]
        for line in lines.splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                content = base64.b64decode(entry["value"]["content"])
                repository.files[entry["value"]["path"]] = content
        return repository.commit


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    server.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(hub: Hub, cache: str, monkeypatch: Any) -> None:
    """Let the hub's client of this process ask this hub, and keep what it downloads in a folder."""
    import huggingface_hub
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", cache)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)
    huggingface_hub.HfFileSystem.clear_instance_cache()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self) -> Hub:
        return self.server.hub  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = unquote(urlparse(self.path).path).strip("/")
        self.hub.asked.append(f"{self.command} {path}")
        if self.command == "POST" and self._written(path, body):
            return
        api = path.startswith("api/")
        path = path.removeprefix("api/")
        kind = "datasets" if path.startswith("datasets/") else "models"
        path = path.removeprefix("datasets/").removeprefix("models/")
        # the name of a branch may hold a slash, as that of a pull request does
        match = re.fullmatch(
            r"([^/]+/[^/]+)(?:/(revision|resolve|tree|paths-info)/(refs/[^/]+/[^/]+|[^/]+)(?:/(.*))?)?",
            path,
        )
        known = self.hub.datasets if kind == "datasets" else self.hub.models
        repository = known.get(match[1]) if match else None
        if match is None or repository is None:
            return self._refuse(401, "RepoNotFound", "Repository Not Found")
        name, what, revision, rest = match[1], match[2], match[3] or "main", match[4] or ""
        if revision not in (*repository.revisions, repository.commit):
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if not api:
            return self._file(repository, rest)
        if what in ("tree", "paths-info"):
            return self._json(self._paths(repository, what, rest, body))
        self._json(
            {
                "id": name,
                "sha": repository.commit,
                "gated": "manual" if repository.gated else False,
                "private": False,
                "tags": [],
                "downloads": 0,
                "likes": 0,
                "cardData": dict(repository.card),
                "siblings": [
                    {"rfilename": file, "blobId": entry["oid"], **entry}
                    for file in sorted(repository.files)
                    for entry in [repository.entry(file)]
                ],
            }
        )

    def _written(self, path: str, body: bytes) -> bool:
        """Whether this is a request to write, which is answered."""
        if path == "api/validate-yaml":
            self._json({"errors": [], "warnings": []})
            return True
        match = re.fullmatch(r"api/(?:models/(.+)/(preupload|commit)/main|repos/create)", path)
        if match is None:
            return False
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._refuse(401, "", "Invalid credentials")
        elif match[2] is None:
            given = json.loads(body)
            name = "/".join(filter(None, (given.get("organization"), given["name"])))
            self.hub.models.setdefault(name, Repository({}))
            self._json({"url": f"{self.hub.url}/{name}", "name": name})
        elif match[2] == "preupload":
            files = [{**one, "uploadMode": "regular"} for one in json.loads(body)["files"]]
            self._json({"files": [{**one, "shouldIgnore": False} for one in files]})
        else:
            commit = self.hub.publish(match[1], body)
            url = f"{self.hub.url}/{match[1]}/commit/{commit}"
            self._json({"success": True, "commitUrl": url, "commitOid": commit})
        return True

    def _paths(self, repository: Repository, what: str, rest: str, body: bytes) -> list[Any]:
        files = {"type": "file"}
        if what == "tree":
            names = [one for one in repository.files if one.startswith(rest)]
            return [{**files, "path": one, **repository.entry(one)} for one in names]
        given = json.loads(body) if body[:1] == b"{" else {}
        paths = given.get("paths") or re.findall(r"paths=([^&]*)", body.decode())
        paths = [paths] if isinstance(paths, str) else [unquote(one) for one in paths]
        found: list[Any] = []
        for path in paths:
            if path in repository.files:
                found.append({**files, "path": path, **repository.entry(path)})
            elif any(one.startswith(f"{path}/") for one in repository.files):
                found.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
        return found

    def _file(self, repository: Repository, name: str) -> None:
        if repository.gated:
            return self._refuse(403, "GatedRepo", "Access to this repository is restricted")
        if name not in repository.files:
            return self._refuse(404, "EntryNotFound", "Entry not found")
        entry, data = repository.entry(name), repository.files[name]
        data = repository.replaced.get(name, data)
        first, last, code = 0, len(data), 200
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            first, code = int(match[1]), 206
            last = min(int(match[2]) + 1, last) if match[2] else last
        self.send_response(code)
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{entry.get("lfs", {}).get("sha256", entry["oid"])}"')
        self.send_header("Accept-Ranges", "bytes")
        if code == 206:
            self.send_header("Content-Range", f"bytes {first}-{last - 1}/{len(data)}")
        self.send_header("Content-Length", str(last - first))
        self.end_headers()
        if self.command == "HEAD":
            return
        if repository.cut.get(name, 0) > 0:
            repository.cut[name] -= 1
            self.wfile.write(data[first : first + (last - first) // 2])
            self.close_connection = True
            return
        self.wfile.write(data[first:last])

    def _json(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _refuse(self, code: int, error: str, message: str) -> None:
        self.send_response(code)
        self.send_header("X-Error-Code", error)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()
