"""The command line's process: its signals, error messages and exit codes. The commands are in gateway/cli.py."""

import signal
import sys
import traceback


def main() -> None:
    """Run the command that the arguments name; end with 0, 1 (an error), 2 (wrong usage) or 128 + the signal."""
    signal.signal(signal.SIGTERM, _exit_on_signal)
    # Under nohup SIGHUP is ignored, and must stay so.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _exit_on_signal)
    try:
        sys.exit(_run())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _run() -> int | None:
    # Imported here, where Ctrl-C is handled: imports take most of the time of a short command.
    import click  # noqa: PLC0415

    from database.errors import GatewayError  # noqa: PLC0415
    from gateway.cli import commands  # noqa: PLC0415

    try:
        code: int | None = commands.main(prog_name="gateway", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 128 + signal.SIGINT
    except GatewayError as error:
        click.echo(f"gateway: {error}", err=True)
        return 1
    except Exception as error:  # noqa: BLE001 (a user gets one line, whatever happened)
        # Without the exception's text, which may quote a password or a card number.
        place = traceback.extract_tb(error.__traceback__)[-1]
        click.echo(
            f"gateway: it failed: {type(error).__name__} at {place.filename}:{place.lineno}."
            " This is a fault of the gateway; please report this line.",
            err=True,
        )
        return 1
    return code


def _exit_on_signal(number: int, _frame: object) -> None:
    """Exit with a shell's code for the signal, but through every `finally`: an embedded server is stopped."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
