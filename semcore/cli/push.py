"""`push`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import click

from semcore.cli.fetch import confirm, in_bytes
from semcore.cli.select import Place, say
from semcore.errors import RunError
from semcore.wording.plural import plural


@click.command("push")
@click.argument("folder", type=Place())
@click.argument("repository")
@click.option("--licence", metavar="ID", help="Licence as on the hub, such as apache-2.0.")
@click.option("--private", is_flag=True, help="Let only you see a new repository.")
@click.option("--yes", is_flag=True, help="Publish without asking.")
@click.option("--dry-run", is_flag=True, help="List what would be published, and stop.")
def push_command(
    folder: Path, repository: str, licence: str | None, private: bool, yes: bool, dry_run: bool
) -> None:
    """Publish the weights and the card in FOLDER, as a recipe writes them, to REPOSITORY: USER/NAME
    on the hub, or a folder on this machine (./NAME).

    The card gets the front matter that the hub reads: licence, library, tags, data sets, measured
    values. Folders without a card, or with pickles, are refused.
    """
    from semcore.models.publishing import publication

    local = _folder(repository)
    made = publication(folder, (local or Path(repository)).name, licence)
    sizes = {name: (folder / name).stat().st_size for name in made.files}
    where = f"{local}" if local else f"{repository}{', private if new' if private else ', public'}"
    say(f"{where}: {plural(len(sizes) + 1, 'file')}, licence {made.licence}")
    for name, size in {"README.md": len(made.card.encode()), **sizes}.items():
        say(f"  {in_bytes(size):>9}  {name}")
    if made.left_out:
        say(f"left out: {', '.join(made.left_out)}")
    if dry_run:
        return
    confirm("Publish?", yes)
    if local:
        made.write(local)
        say(f"Weights and card: {local}")
        return
    with tempfile.TemporaryDirectory() as place:
        made.write(Path(place))
        say(_upload(Path(place), repository, private))


def _folder(repository: str) -> Path | None:
    """The folder that is meant, or None for a repository on the hub.

    Raises:
        click.UsageError: it is neither
    """
    if repository.startswith((".", "/", "~")) or Path(repository).is_dir():
        return Path(repository).expanduser()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise click.UsageError(
            f"REPOSITORY is USER/NAME on the hub, or a folder such as ./NAME, not {repository!r}"
        )
    return None


def _upload(place: Path, repository: str, private: bool) -> str:
    """Upload a folder; returns where it is now.

    Raises:
        RunError: the hub refuses it or cannot be reached
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    api = HfApi()
    try:
        # private=None leaves an existing repository, and an organisation's rule, as they are
        api.create_repo(repository, private=private or None, exist_ok=True)
        done = api.upload_folder(
            repo_id=repository, folder_path=place, commit_message="Publish weights and card"
        )
    except (LocalTokenNotFoundError, HfHubHTTPError) as error:
        status = getattr(getattr(error, "response", None), "status_code", 401)
        if status in (401, 403):
            raise RunError(
                f"{constants.ENDPOINT} does not let you write to {repository}: log in with "
                "`hf auth login`, with a token that may write"
            ) from error
        raise RunError(f"{repository} cannot be written: {_line(error)}") from error
    except OSError as error:
        raise RunError(f"{constants.ENDPOINT} cannot be reached: {_line(error)}") from error
    except Exception as error:  # of the HTTP library, which depends on the version of the client
        raise RunError(f"{repository} cannot be written: {_line(error)}") from error
    return f"{constants.ENDPOINT}/{repository} (commit {done.oid[:7]})"


def _line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
