"""A pytest plugin for boards on a bench: `plugin` is what pytest loads, by the entry point `tinyseal`."""
