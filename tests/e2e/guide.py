"""Snippets of the client guide, word for word; a test replaces address and token alone."""

from typing import Final

GUIDE_URL: Final = "http://localhost:3000"
GUIDE_CDN: Final = "https://cdn.socket.io/4.5.4/socket.io.min.js"

LOAD_CLIENT: Final = """
// Load Socket.IO client
const script = document.createElement('script');
script.src = 'https://cdn.socket.io/4.5.4/socket.io.min.js';
document.head.appendChild(script);
"""

AFTER_SCRIPT_LOADS: Final = """
// After script loads
const socket = io('http://localhost:3000/chat', {
  auth: { token: 'your-token' }
});

socket.on('connect', () => console.log('Connected'));
socket.emit('joinChat', { chatId: 1 });
socket.on('newMessage', (data) => console.log('Message:', data));
"""

CONNECT: Final = """
const socket = io('http://localhost:3000/chat', {
  auth: {
    token: localStorage.getItem('access_token')
  },
  transports: ['websocket', 'polling']
});
"""

CONNECTION_EVENTS: Final = """
socket.on('connect', () => {
  console.log('✅ Connected:', socket.id);
  
  // Authenticate
  socket.emit('authenticate');
});

socket.on('disconnect', () => {
  console.log('❌ Disconnected');
});

socket.on('error', (error) => {
  console.error('Socket error:', error);
});
"""  # noqa: W293  # as it stands in the guide

JOIN_ROOM: Final = "socket.emit('joinChat', { chatId: 1 });"

ERROR_HANDLING: Final = """
socket.on('connect_error', (error) => {
  console.error('Connection error:', error);
  // Retry logic or show error to user
});

socket.on('connect_timeout', () => {
  console.error('Connection timeout');
});
"""

TYPING: Final = """
let typingTimeout;

inputField.addEventListener('input', () => {
  socket.emit('typing', { chatId: 1, isTyping: true });
  
  clearTimeout(typingTimeout);
  typingTimeout = setTimeout(() => {
    socket.emit('typing', { chatId: 1, isTyping: false });
  }, 3000);
});
"""  # noqa: W293  # as it stands in the guide

DEDUPLICATION: Final = """
const processedMessages = new Set();

socket.on('newMessage', (data) => {
  const messageId = data.message.id;
  
  if (processedMessages.has(messageId)) {
    return; // Already processed
  }
  
  processedMessages.add(messageId);
  addMessageToUI(data.message);
});
"""  # noqa: W293  # as it stands in the guide

SEND_OVER_SOCKET: Final = """
// Option 1: Via WebSocket (instant)
socket.emit('sendMessage', {
  chatId: 1,
  content: 'Hello!'
});
"""

SEND_OVER_REST: Final = """
// Option 2: Via REST API (also triggers WebSocket event)
await fetch('/chat-messages', {
  method: 'POST',
  headers: {
    'Authorization': `Bearer ${token}`,
    'Content-Type': 'application/json'
  },
  body: JSON.stringify({
    chatId: 1,
    content: 'Hello!'
  })
});
"""

CLEANUP: Final = """
// Leave chat rooms when component unmounts
socket.emit('leaveChat', { chatId: 1 });

// Disconnect socket
socket.disconnect();
"""
