"""The built-in plugins. Each is one file, and imports of the server nothing but `chat.plugin_api`."""
