"""The account: who gets a slot, what is paid, and what it is worth at each close.

fills -> candidates (`assembly`) -> slots (`allocation`) -> a ledger of orders (`book`, `ledger`)
-> vectorbt (`portfolio`) -> `statistics`, beside the `benchmark`
"""
