"""Data to try the program on: five real companies, and a SIMULATED market with a known truth.

`backtest.demo.simulated` holds the market, `backtest.demo.real` the companies,
`backtest.demo.fill` puts both into a store.
"""
