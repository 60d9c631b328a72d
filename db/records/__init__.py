"""Events, guidance, corporate actions and news: how they are taken in and read."""
