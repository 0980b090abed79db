"""The client library with a real server, when the tokens of its user are revoked."""

from chat.testing import SECRET
from tests.support.delivery.chats import host
from tests.support.docs_node import needs_node, running_script

SCRIPT = """
import { createHmac } from 'node:crypto';
import { ChatClient } from '@chatgateway/client';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const mint = () => {
  const now = Math.floor(Date.now() / 1000);
  const claims = `${part({ alg: 'HS256' })}.${part({ id: 1, iat: now, exp: now + 3600 })}`;
  return `${claims}.${createHmac('sha256', process.env.SECRET).update(claims).digest('base64url')}`;
};
let token = mint();
const chat = new ChatClient({
  url: process.env.URL,
  getToken: ({ fresh }) => {
    if (fresh) token = mint();
    return token;
  },
});
chat.on('state', ({ state, error }) => console.log(error ? `${state}: ${error.code}` : state));
chat.connect();
"""


@needs_node
async def test_a_client_that_may_have_a_new_token_comes_back_by_itself(serve, tmp_path):
    """The token that it has is close to the revoke: refused for now, then as expired, and the
    fresh one that it asks for is good.
    """
    async with serve(clock_skew_s=1) as chat:
        environment = {"SECRET": SECRET, "URL": chat.url}
        async with running_script(tmp_path, SCRIPT, **environment) as script:
            await script.until("online")
            await host(chat, "POST", "/admin/users/1/revoke", {})
            await script.until("reconnecting")
            lines = await script.until("online")
            assert not [each for each in lines if each.startswith("closed")]
