"""Files as ChartMogul takes them in, made up, with the headers of its own samples.

Headers: github.com/chartmogul/chartmogul-ruby, lib/chartmogul/csv, and the samples that
help.chartmogul.com/hc/en-us/articles/360013881659 names.
"""

from __future__ import annotations

PLANS = (
    "Name,Interval count,Interval unit,Plan ID\n"
    "Gold,1,month,gold_monthly\n"
    "Gold by the quarter,3,month,gold_quarterly\n"
    "Platinum,1,year,platinum_annual\n"
    "Weekly box,14,day,box\n"
)
INVOICES = (
    "Customer external ID,Invoice external ID,Invoiced date,Due Date,Currency\n"
    "ann,i1,2024-01-31,,GBP\n"
    "ann,i2,2024-02-29,,GBP\n"
    "ann,i3,2024-03-31,,GBP\n"
    "bob,i4,2024-03-17,,GBP\n"
    "bob,i5,2024-06-17,2024-07-01,GBP\n"
    "cat,i6,2024-04-21,,GBP\n"
    "dan,i7,2024-06-26,,GBP\n"
    "dan,i8,2024-12-27,,GBP\n"
)
LINES_HEADER = (
    "Invoice external ID,External ID,Subscription external ID,Subscription set external ID,Type,"
    "Amount in cents,Plan,Service period start,Service period end,Quantity,Proration,"
    "Discount code,Discount amount,Tax amount,Description,Transaction fee,Account Code,"
    "Transaction fees currency,Discount description,Event order,Balance transfer,Proration type\n"
)
LINES = (
    f"{LINES_HEADER}"
    "i1,,s1,,Subscription,500,gold_monthly,2024-01-31,2024-02-29,1,FALSE,,0,0,,0,,,,,,\n"
    "i1,,,,OneTime,10000,,2024-01-31,2024-01-31,1,FALSE,,0,0,Setup fee,0,,,,,,\n"
    "i2,,s1,,Subscription,500,gold_monthly,2024-02-29,2024-03-31,1,FALSE,,0,0,,0,,,,,,\n"
    "i3,,s1,,Subscription,1200,gold_monthly,2024-03-31,2024-04-30,2,FALSE,,0,200,,0,,,,,,\n"
    "i4,,s2,,Subscription,1500,gold_quarterly,2024-03-17,2024-06-17,1,FALSE,,0,0,,0,,,,,,\n"
    "i5,,s2,,Subscription,1000,gold_quarterly,2024-06-17,2024-09-17,3,FALSE,OFF,500,0,,0,,,,,,\n"
    "i6,,s3,,Subscription,4200,platinum_annual,2024-04-21,2025-04-21,1,FALSE,,0,0,,0,,,,,,\n"
    "i7,,s4,,Subscription,500,gold_monthly,2024-06-26,2024-07-26,1,FALSE,,0,0,,0,,,,,,\n"
    "i8,,s4,,Subscription,700,gold_monthly,2024-12-27,2025-01-27,1,FALSE,,0,0,,0,,,,,,\n"
)
TRANSACTIONS = (
    "Invoice external ID,External ID,Type,Result,Date\n"
    "i1,t1,payment,failed,2024-01-31\n"
    "i1,t2,payment,successful,2024-02-02\n"
    "i2,t3,payment,successful,2024-02-29\n"
    "i2,t4,refund,successful,2024-03-03\n"
)
EVENTS = (
    "Customer external ID,Subscription external ID,External ID,Event Type,Retracted event ID,Date,"
    "Effective Date,Plan external ID,Currency,Amount in Cents,Quantity\n"
    "ann,s1,e1,subscription_start,,2024-01-31,2024-01-31,gold_monthly,GBP,500,1\n"
    "ann,s1,e2,subscription_cancellation_scheduled,,2024-02-10,2024-02-29,,,,\n"
    "ann,s1,e3,subscription_event_retracted,e2,2024-02-11,2024-02-11,,,,\n"
    "cat,s3,e4,subscription_cancelled,,2024-06-01,2024-06-01,,,,\n"
    "ann,s1,e5,subscription_cancelled,,2024-03-20,2024-04-30,,,,\n"
)
CANCELLATIONS = "Subscription external ID,Customer external ID,Date\ns3,cat,2024-06-01\n"
CUSTOMERS = (
    "Name,Email,Company,Country,State,City,Zip,External ID,Lead created at,"
    "Free trial started at,Attributes\n"
    "Ann Lee,ann@example.com,Ann's Shop,GB,,London,E17 8EG,ann,2024-01-30,2024-01-30,\n"
)
EXPORTS = {
    "ChartMogul plans": ("plans", PLANS),
    "ChartMogul invoice line items": ("invoice_lines", LINES),
    "ChartMogul invoices": ("invoices", INVOICES),
    "ChartMogul transactions": ("payments", TRANSACTIONS),
    "ChartMogul subscription events": ("cancellations", EVENTS),
    "ChartMogul cancellations": ("cancellations", CANCELLATIONS),
}
