"""The domain: what may be done with chats and messages, in which order. Knows no socket, no HTTP
and no driver.
"""
