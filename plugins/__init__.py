"""The built-in plugins. One file each; of the server they import `chat.plugin_api` alone."""
