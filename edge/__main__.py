"""`python -m edge` is `eseal`."""

from edge.cli import main

if __name__ == "__main__":
    main()
