"""VPP's binary API, served: the engine looks like a VPP to any control program that speaks the API over a unix socket.

From the bottom up: `schema` describes messages, `codec` turns them into bytes and back, `framing` cuts the byte stream,
`dispatcher` holds the sessions and calls the handlers, `server` is the asyncio shell with the sockets.
"""
