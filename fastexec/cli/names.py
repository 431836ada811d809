"""Names that a person gives a command: a verb, a study; the nearest is named for one that does not exist."""

from __future__ import annotations

import click

from fastexec.wording import did_you_mean


class NearestGroup(click.Group):
    """Names the nearest verb for one that does not exist."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, once the first word is a verb; else a usage error."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


def _study_or_presets(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    if value is None:
        from fastexec.studies.catalogue import presets

        names = ", ".join(name for name, _ in presets())
        raise click.UsageError(
            f"Missing argument 'STUDY': a TOML file (`fastexec new NAME` writes one) or a preset: {names}"
        )
    return value


study_argument = click.argument("study", metavar="STUDY", required=False, callback=_study_or_presets)
