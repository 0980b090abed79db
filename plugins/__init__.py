"""The built-in plugins, one file each; of the server they import only `chat.plugin_api`."""
