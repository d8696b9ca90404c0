"""Model Release Watcher: sees new open-weight models on the Hugging Face Hub and reports what is new in them."""

__version__ = "0.1.0"
