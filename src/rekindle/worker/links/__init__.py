"""Where the links of messages lead: to the shop, and back to what somebody left there."""
