"""What every online source shares: the contract, the line it asks over, and the run that stores."""
