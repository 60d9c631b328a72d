"""Events, news and prices: models, importers and the store that holds them."""
