"""What stands in the folder of a world of files: its settings, its journey and its letters."""

from __future__ import annotations

SETTINGS = """\
[workspace]
format = 1
name = "World"
currency = "GBP"
timezone = "UTC"
[quiet_hours]
start = "08:00"
end = "08:00"
[caps]
email = {max = 1, per = "1 days"}
all = {max = 1, per = "1 days"}
[email]
outlet = "email_folder"
postal_address = "1 Street"
[api]
import_every = "3 days"
"""
SOURCE = """\
[[sources]]
name = "%s_%s"
table = "%s"
path = "%s_%s.csv"
[sources.columns]
%s
"""
JOURNEY = """\
journey: win
enter: {audience: orders_count >= 1 or subscription_state = 'gone'}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - wait: 6 hours
  - send: {channel: email, template: one}
  - wait: 2 days
  - send: {channel: email, template: two}
  - wait: 3 days
  - send: {channel: email, template: three}
"""
TEMPLATE = """\
---
subject: %s for {{ first_name }}
preheader: Hello
---
<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ first_name }}, {{ shop.name }},
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
