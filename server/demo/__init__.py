"""The demo shop "Mori & Oak / 木与森": its people, its past and its shoppers.

``DEMO_SHOP``, ``DEMO_TEAMS`` and ``DEMO_PEOPLE`` say what to create, ``demo_customers`` who the
shoppers of the past are, ``history`` gives the past as import rows, ``storefront_app`` the shop's
own pages, ``run_shoppers`` and ``run_colleagues`` keep the desk alive.
"""

from server.demo.colleagues import run_colleagues
from server.demo.history import history
from server.demo.people import (
    DEMO_PASSWORD,
    DEMO_PEOPLE,
    DEMO_SHOP,
    DEMO_TEAMS,
    DemoCustomer,
    DemoPerson,
    DemoShop,
    DemoTeam,
    demo_agents,
    demo_customers,
)
from server.demo.shoppers import run_shoppers
from server.demo.storefront import storefront_app

__all__ = [
    "DEMO_PASSWORD",
    "DEMO_PEOPLE",
    "DEMO_SHOP",
    "DEMO_TEAMS",
    "DemoCustomer",
    "DemoPerson",
    "DemoShop",
    "DemoTeam",
    "demo_agents",
    "demo_customers",
    "history",
    "run_colleagues",
    "run_shoppers",
    "storefront_app",
]
