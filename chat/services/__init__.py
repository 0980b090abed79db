"""The domain: what users may do with chats and messages, and in which order.

It knows no socket, no HTTP and no driver. It takes and gives plain values.
"""
