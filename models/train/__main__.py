"""Entry of `python -m models.train`; child processes import `run`, not this."""

from models.train.run import main

if __name__ == "__main__":
    main()
