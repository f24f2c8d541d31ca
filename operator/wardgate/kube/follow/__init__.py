"""The proxy's side of the published config: following it and handing it on."""
