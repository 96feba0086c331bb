"""The program: command line, configuration, scheduling and HTTP. It only wires."""

__version__ = "0.1.0"
