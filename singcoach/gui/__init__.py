"""The window: screens, widgets, plots and their view models; the only home of Qt."""
