"""SingCoach: a singing coach that runs wholly on the user's machine."""

__version__ = "0.1.0"
