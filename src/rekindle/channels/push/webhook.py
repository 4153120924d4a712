"""The way back in: there is none. A push service does not report what became of a message.

That a subscription or a token is gone is the answer to the next message. What the person did
with it is reported by the site or the app itself, as an event.
"""
