"""Plugins: the hooks they subscribe to, how they are loaded, and how they are called."""
