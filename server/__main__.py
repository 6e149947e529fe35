"""The program. What it runs is imported when it runs: a process that multiprocessing spawns imports this
module again, and is to load what its own work needs and not the whole server."""

__all__ = ["main"]


def main() -> None:
    from server.cli import main as command

    command()


if __name__ == "__main__":
    main()
