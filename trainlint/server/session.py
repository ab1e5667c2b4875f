"""One session with an editor: what it tells and asks, and when documents are linted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path, urlparse

from trainlint import __version__
from trainlint.server.actions import KINDS, Actions, Document, is_wanted
from trainlint.server.diagnostics import Translator
from trainlint.server.documents import Notebook, Opened
from trainlint.server.hover import hover_at
from trainlint.server.workspace import Linted, Workspace
from trainlint.static.source import CONFIG_ENDINGS, is_notebook, may_configure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainlint.core.catalogue import Catalogue
    from trainlint.core.hierarchy import Hierarchy

_STACK: Final = 16 * 1024 * 1024
"""Bytes of stack for the thread that lints: on macOS a thread has too little to parse deep code."""

Answer = TypeVar("Answer")

_WATCHED: Final = (
    "**/*.py",
    "**/*.ipynb",
    *(f"**/*{ending}" for ending in CONFIG_ENDINGS),
    "**/pyproject.toml",
    "**/trainlint.toml",
    "**/.gitignore",
)


_NOTEBOOKS: Final = types.NotebookDocumentSyncOptions(
    # All cells, so that they have the numbers that the editor shows.
    [types.NotebookDocumentFilterWithNotebook("jupyter-notebook")],
    save=True,
)


def serve(catalogue: Catalogue, configure: Callable[[], Hierarchy], *, debounce: float) -> int:
    """Speak with the editor over the standard streams until it leaves; return the exit code.

    ``debounce`` is how many seconds nothing is to change before a document is linted again.
    """
    if not os.environ.get("TRAINLINT_TRACEBACK"):
        # What pygls and asyncio log are tracebacks; what concerns the user is told to the editor.
        logging.getLogger().addHandler(logging.NullHandler())
    with _streams() as (incoming, outgoing):
        session = Session(Workspace(catalogue, configure), debounce=debounce)
        session.start_io(incoming, outgoing)
        session.stop_linting()
    return 0 if session.was_shut_down else 1


@contextlib.contextmanager
def _streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Give the standard streams to the protocol, alone: what anybody else prints goes to the errors."""
    outgoing = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield sys.stdin.buffer, outgoing
    finally:
        # The editor may have gone without reading all.
        with contextlib.suppress(OSError):
            outgoing.close()


class Session(LanguageServer):
    """The language server: documents come in, diagnostics and answers go out.

    Everything that lints runs in one thread, in order; the rest in the loop that reads messages.
    """

    def __init__(self, workspace: Workspace, *, debounce: float) -> None:
        # Whole texts: pygls ends lines where the protocol does not, and edits would go astray.
        super().__init__(
            "trainlint",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            notebook_document_sync=_NOTEBOOKS,
        )
        self.was_shut_down = False
        self._linter = workspace
        self._debounce = debounce
        self._home = os.getcwd()
        threading.stack_size(_STACK)
        self._worker = ThreadPoolExecutor(1, "lint")
        self._results: dict[str, Linted] = {}
        self._pending: dict[str, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, str] = {}
        self._told_bugs: set[str] = set()
        self._notebooks: dict[str, Notebook] = {}
        self._listen()

    def _listen(self) -> None:
        """Say which messages are answered."""
        code_actions = types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True)
        for message, answer, options in (
            (types.INITIALIZED, self._initialized, None),
            (types.SHUTDOWN, self._shut_down, None),
            (types.TEXT_DOCUMENT_DID_OPEN, self._settled, None),
            (types.TEXT_DOCUMENT_DID_CHANGE, self._changed, None),
            (types.TEXT_DOCUMENT_DID_SAVE, self._settled, None),
            (types.TEXT_DOCUMENT_DID_CLOSE, self._closed, None),
            (types.NOTEBOOK_DOCUMENT_DID_OPEN, self._notebook_opened, None),
            (types.NOTEBOOK_DOCUMENT_DID_CHANGE, self._notebook_changed, None),
            (types.NOTEBOOK_DOCUMENT_DID_SAVE, self._notebook_saved, None),
            (types.NOTEBOOK_DOCUMENT_DID_CLOSE, self._notebook_closed, None),
            (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._disk_changed, None),
            (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, self._disk_changed, None),
            (types.TEXT_DOCUMENT_HOVER, self._hover, None),
            (types.TEXT_DOCUMENT_CODE_ACTION, self._code_actions, code_actions),
            (types.CODE_ACTION_RESOLVE, self._resolve, None),
        ):
            # It is given attributes, which a method does not bear.
            self.feature(message, options)(partial(answer))

    # -- what the editor tells ----------------------------------------------------------------

    def _initialized(self, _: types.InitializedParams) -> None:
        """Ask to be told when files change that nobody has open."""
        watching = self._ability("workspace", "did_change_watched_files", "dynamic_registration")
        if watching:
            watchers = [types.FileSystemWatcher(glob_pattern=one) for one in _WATCHED]
            registration = types.Registration(
                "trainlint-files",
                types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                types.DidChangeWatchedFilesRegistrationOptions(watchers),
            )
            self.client_register_capability(types.RegistrationParams([registration]))

    def _shut_down(self, _: None) -> None:
        """Note that the editor leaves in the way that is agreed upon, and stop linting."""
        self.was_shut_down = True
        self._pending.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _settled(
        self, params: types.DidOpenTextDocumentParams | types.DidSaveTextDocumentParams
    ) -> None:
        """Lint a document that is opened or saved."""
        self._worker.submit(self._linter.look_again)
        self._schedule(params.text_document.uri, delay=0)

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """Lint a document once nothing has changed for a while."""
        self._schedule(params.text_document.uri, delay=self._debounce)

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        """Take the diagnostics of a document back, and let the others follow the disk again."""
        uri = params.text_document.uri
        self._forget(uri)
        self._clear((uri,))
        self._disk_changed(params)

    def _forget(self, uri: str) -> None:
        """Let go what is known of a document."""
        self._pending.pop(uri, None)
        self._results.pop(uri, None)
        self._told.pop(uri, None)

    def _clear(self, uris: Iterable[str]) -> None:
        """Take diagnostics back."""
        for uri in uris:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _notebook_opened(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Lint a notebook that is opened."""
        notebook = Notebook(params)
        self._notebooks[notebook.uri] = notebook
        self._worker.submit(self._linter.look_again)
        self._schedule(notebook.uri, delay=0)

    def _notebook_changed(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Lint a notebook once nothing has changed for a while; clear the cells that have gone."""
        notebook = self._notebooks.get(params.notebook_document.uri)
        if notebook is not None:
            before = set(notebook.uris)
            notebook.change(params, self._encoding)
            self._clear(before.difference(notebook.uris))
            self._schedule(notebook.uri, delay=self._debounce)

    def _notebook_saved(self, params: types.DidSaveNotebookDocumentParams) -> None:
        """Lint a notebook that is saved."""
        self._worker.submit(self._linter.look_again)
        self._schedule(params.notebook_document.uri, delay=0)

    def _notebook_closed(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Take the diagnostics of the cells back, and let the others follow the disk again."""
        uri = params.notebook_document.uri
        notebook = self._notebooks.pop(uri, None)
        self._forget(uri)
        self._clear(() if notebook is None else notebook.uris)
        self._disk_changed(params)

    def _disk_changed(self, _: object) -> None:
        """Lint every open document."""
        self._worker.submit(self._linter.look_again)
        for document in self._documents().values():
            self._schedule(document.uri, delay=self._debounce)

    def stop_linting(self) -> None:
        """Lint nothing more; what is under way ends by itself."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    # -- linting ------------------------------------------------------------------------------

    def _schedule(self, uri: str, *, delay: float) -> None:
        """Let a document be linted after some seconds, and not before."""
        self._pending[uri] = None
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay, self._start)

    def _start(self) -> None:
        """Begin to lint what is pending, unless that is under way."""
        self._timer = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._lint_pending())
            self._task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Tell what has ended the linting, if it has not come to its own end."""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception) and not isinstance(error, BrokenPipeError):
            self._tell_bug(error)

    def _tell_bug(self, error: Exception) -> None:
        """Tell, once, what went wrong in trainlint itself."""
        said = f"{type(error).__name__}: {error}"
        message = f"trainlint failed ({' '.join(said.split())}); this is a bug of trainlint"
        if message not in self._told_bugs:
            self._told_bugs.add(message)
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, message))

    async def _lint_pending(self) -> None:
        """Lint the documents that have changed, then those that import them or are imported by them."""
        while self._pending and self._timer is None:
            changed = list(self._pending)
            self._pending.clear()
            others: dict[str, None] = {}
            for uri in changed:
                try:
                    linted = await self._lint(uri)
                    if linted is not None:
                        found = await self._run(self._linter.relatives, linted.path)
                        others |= dict.fromkeys(found)
                except Exception as error:  # noqa: BLE001 - one document must not end the linting
                    self._tell_bug(error)
            uris = {path: document.uri for path, document in self._documents().items()}
            for uri in (uris[path] for path in others if path in uris):
                if self._pending:
                    # They wait until nothing changes.
                    self._pending |= dict.fromkeys(uris[path] for path in others if path in uris)
                    break
                if uri not in changed:
                    await self._lint(uri)

    async def _lint(self, uri: str) -> Linted | None:
        """Lint a document and publish what is said of it; None where it has gone or is none of ours."""
        documents = self._documents()
        found = next(((path, one) for path, one in documents.items() if one.uri == uri), None)
        if found is None:
            return None
        path, _ = found
        texts = {each: one.text for each, one in documents.items()}
        roots = tuple(self._roots())
        linted = await self._run(self._lint_in_worker, path, texts, roots)
        now = self._documents().get(path)
        if now is not None and now.text == linted.text:
            self._results[uri] = linted
            self._publish(now, linted)
        return linted

    def _lint_in_worker(self, path: str, texts: dict[str, str], roots: tuple[str, ...]) -> Linted:
        """Lint a document, given all that is open."""
        self._linter.set_roots(roots)
        self._linter.set_texts(texts)
        return self._linter.lint(path)

    async def _run(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a function in the thread that lints."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, function, *arguments)

    def _publish(self, opened: Opened, linted: Linted) -> None:
        """Show what is said of a document; say once why none can be."""
        told = self._told.values()
        if linted.unusable and linted.unusable not in told:
            message = types.ShowMessageParams(
                types.MessageType.Error, f"trainlint: {linted.unusable}"
            )
            self.window_show_message(message)
        self._told[opened.uri] = linted.unusable
        diagnostics = self._translator().diagnostics(linted)
        for cell, part in opened.parts.items():
            some = diagnostics.get(cell, [])
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(part.uri, some, part.version)
            )

    async def _linted(self, uri: str) -> tuple[Opened, int | None, Linted] | None:
        """Return a document as it is now, linted; None where it is not open.

        Of a notebook a cell is asked for: its number stands between the two.
        """
        for _ in range(10):
            found = next(
                (
                    (one, cell)
                    for one in self._documents().values()
                    for cell, part in one.parts.items()
                    if part.uri == uri
                ),
                None,
            )
            if found is None:
                return None
            document, cell = found
            linted = self._results.get(document.uri)
            if linted is not None and linted.text == document.text:
                return document, cell, linted
            await self._lint(document.uri)
        return None

    # -- what the editor asks -----------------------------------------------------------------

    async def _hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return the page of the rule that speaks at a place."""
        found = await self._linted(params.text_document.uri)
        if found is None:
            return None
        formats = self._ability("text_document", "hover", "content_format")
        plain = formats and types.MarkupKind.Markdown not in formats
        kind = types.MarkupKind.PlainText if plain else types.MarkupKind.Markdown
        _, cell, linted = found
        catalogue = self._linter.catalogue
        return hover_at(params.position, cell, linted, catalogue, self._translator(), kind)

    async def _code_actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Return what can be done about the diagnoses in a range."""
        uri = params.text_document.uri
        found = await self._actions(uri)
        if found is None:
            return []
        actions, cell = found
        only = params.context.only
        later = "edit" in (
            self._ability("text_document", "code_action", "resolve_support", "properties") or ()
        )
        return await self._run(
            _offered, actions, params.range, cell, only, {"uri": uri} if later else None
        )

    async def _resolve(self, action: types.CodeAction) -> types.CodeAction:
        """Return an action with the edits that it was offered without."""
        data = action.data
        if action.edit is None and isinstance(data, dict) and isinstance(data.get("uri"), str):
            found = await self._actions(data["uri"])
            if found is not None:
                action.edit = await self._run(found[0].all_edits)
        return action

    async def _actions(self, uri: str) -> tuple[Actions, int | None] | None:
        """Return the actions of a document, and the number of the cell that is asked for."""
        found = await self._linted(uri)
        if found is None:
            return None
        opened, cell, linted = found
        versioned = bool(self._ability("workspace", "workspace_edit", "document_changes"))
        document = Document(opened, versioned=versioned)
        return Actions(self._linter, self._translator(), linted, document), cell

    # -- what the editor has ------------------------------------------------------------------

    def _ability(self, *names: str) -> Any:
        """Return what the client says of itself under some names; None where it says nothing."""
        found: Any = self.client_capabilities
        for name in names:
            found = getattr(found, name, None)
        return found

    def _translator(self) -> Translator:
        """Return what turns diagnoses into what the client understands."""
        publishing = self._ability("text_document", "publish_diagnostics")
        opened = self._documents()
        return Translator(self._linter.catalogue, self._encoding, publishing, opened)

    @property
    def _encoding(self) -> str:
        """The units in which the client counts columns."""
        return types.PositionEncodingKind(
            self.workspace.position_encoding or types.PositionEncodingKind.Utf16
        ).value

    def _documents(self) -> dict[str, Opened]:
        """Return what is open and may be linted, or will be, by the paths."""
        found = {}
        cells = {uri for notebook in self._notebooks.values() for uri in notebook.uris}
        for document in self.workspace.text_documents.values():
            path = None if document.uri in cells else self._path_of(document.uri)
            python = document.language_id == "python" or document.uri.endswith(".py")
            if path is not None and (python or may_configure(path)) and not is_notebook(path):
                found[path] = Opened(document.uri, document.version, document.source)
        for notebook in self._notebooks.values():
            path = self._path_of(notebook.uri)
            if path is not None:
                # One that was never saved may have any name.
                path = path if is_notebook(path) else f"{path}.ipynb"
                found[path] = notebook.opened
        return found

    def _path_of(self, uri: str) -> str | None:
        """Return the path of a document; for one that was never saved, the one that it might have."""
        scheme, _, path, *_ = urlparse(uri)
        if scheme == "file":
            path = to_fs_path(uri) or ""
            return os.path.normpath(path) if path and "\0" not in path else None
        if scheme == "untitled":
            folder = next(self._roots(), self._home)
            return os.path.join(folder, os.path.basename(path))
        return None

    def _roots(self) -> Iterator[str]:
        """Yield the folders of the workspace."""
        uris = [one.uri for one in self.workspace.folders.values()]
        for uri in uris or [self.workspace.root_uri or ""]:
            path = to_fs_path(uri)
            if path and os.path.isdir(path):
                yield os.path.normpath(path)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Tell the editor in one line what went wrong with a message that nobody waits for."""
        del source
        text = " ".join(str(error).split()) or type(error).__name__
        message = f"trainlint: a message could not be handled: {text}"
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))


def _offered(
    actions: Actions, wanted: types.Range, cell: int | None, only: list[str] | None, data: object
) -> list[types.CodeAction]:
    """Return the actions of the kinds that are asked for; ``data`` stands for edits to ask for later."""
    offered: list[types.CodeAction] = []
    if is_wanted(types.CodeActionKind.QuickFix.value, only):
        offered += actions.in_range(wanted, cell)
    if is_wanted(actions.kind_of_all, only) and actions.has_safe_fixes:
        offered.append(actions.fix_all(data=data))
    return offered
