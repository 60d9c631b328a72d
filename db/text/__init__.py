"""What a text says: main text and date of a page, its language, companies, facts and mood."""
