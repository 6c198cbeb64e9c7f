"""The demo shop, its teams, the people who work there and the people who shop there."""

# ruff: noqa: SIM905, E501  (long lists of names read better as one text)

import random
from dataclasses import dataclass
from typing import Literal

from server.demo.words import Locale, Words

DEMO_PASSWORD = "walnut-lamp-428"  # noqa: S105 - printed at start, for anyone to try


@dataclass(frozen=True, slots=True)
class DemoShop:
    """What `shopbell init` would be told about the demo shop."""

    name: Words
    timezone: str
    currency: str
    retention_months: int


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """A team of the demo shop; `key` is what people and topics refer to."""

    key: str
    name: Words


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Someone who can sign in to the demo shop.

    `reply_ms` is the median time to a first answer and `kindness` the chance of a top rating;
    both only shape the history. `shift` is the local hours of work, `days_off` are weekdays
    (0 is Monday). `speaks` limits the chats that the history gives to this person.
    """

    email: str
    name: Words
    role: Literal["agent", "supervisor", "admin"]
    locale: Locale
    teams: tuple[str, ...]
    capacity: int
    password: str = DEMO_PASSWORD
    reply_ms: int = 40_000
    kindness: float = 0.7
    shift: tuple[int, int] = (9, 17)
    days_off: tuple[int, ...] = (5, 6)
    speaks: tuple[Locale, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A shopper of the history; without a name they stayed anonymous."""

    customer_id: str
    name: str | None
    locale: Locale
    email: str | None


DEMO_SHOP = DemoShop(
    name=Words("Mori & Oak", "木与森"),
    timezone="Asia/Shanghai",
    currency="CNY",
    retention_months=12,
)

DEMO_TEAMS = (
    DemoTeam("before", Words("Before the sale", "售前")),
    DemoTeam("after", Words("After the sale", "售后")),
)

DEMO_PEOPLE = (
    DemoPerson(
        email="admin@mori-oak.example",
        name=Words("Lu Ting", "陆婷"),
        role="admin",
        locale="zh",
        teams=(),
        capacity=4,
    ),
    DemoPerson(
        email="wang.min@mori-oak.example",
        name=Words("Wang Min", "王敏"),
        role="supervisor",
        locale="zh",
        teams=("before", "after"),
        capacity=4,
    ),
    DemoPerson(
        email="chen.hao@mori-oak.example",
        name=Words("Chen Hao", "陈皓"),
        role="agent",
        locale="zh",
        teams=("before", "after"),
        capacity=12,
        reply_ms=26_000,
        kindness=0.86,
        shift=(14, 23),
        days_off=(0, 2),
    ),
    DemoPerson(
        email="zhang.wei@mori-oak.example",
        name=Words("Zhang Wei", "张薇"),
        role="agent",
        locale="zh",
        teams=("before",),
        capacity=6,
        reply_ms=44_000,
        kindness=0.74,
        shift=(9, 18),
        days_off=(1,),
    ),
    DemoPerson(
        email="ana.costa@mori-oak.example",
        name=Words("Ana Costa", "Ana Costa"),
        role="agent",
        locale="en",
        teams=("before", "after"),
        capacity=6,
        reply_ms=38_000,
        kindness=0.82,
        shift=(14, 23),
        days_off=(3,),
        speaks=("en",),
    ),
    DemoPerson(
        email="liu.na@mori-oak.example",
        name=Words("Liu Na", "刘娜"),
        role="agent",
        locale="zh",
        teams=("after",),
        capacity=6,
        reply_ms=34_000,
        kindness=0.8,
        shift=(14, 23),
        days_off=(4,),
        speaks=("zh",),
    ),
    DemoPerson(
        email="ben.ortiz@mori-oak.example",
        name=Words("Ben Ortiz", "Ben Ortiz"),
        role="agent",
        locale="en",
        teams=("after",),
        capacity=4,
        reply_ms=78_000,
        kindness=0.6,
        shift=(9, 18),
        days_off=(6,),
    ),
)

_FAMILY = (
    "林 Lin|周 Zhou|何 He|徐 Xu|沈 Shen|吴 Wu|郑 Zheng|孙 Sun|马 Ma|朱 Zhu|胡 Hu|郭 Guo|高 Gao|罗 Luo|梁 Liang|"
    "宋 Song|唐 Tang|许 Xu|韩 Han|冯 Feng|邓 Deng|曹 Cao|彭 Peng|曾 Zeng|萧 Xiao|田 Tian|董 Dong|潘 Pan|袁 Yuan|"
    "于 Yu|蒋 Jiang|余 Yu|杜 Du|叶 Ye|程 Cheng|魏 Wei|苏 Su|吕 Lü|丁 Ding|任 Ren|姚 Yao|卢 Lu|姜 Jiang|钟 Zhong"
).split("|")
_GIVEN = (
    "悦 Yue|可 Ke|佳 Jia|岚 Lan|静怡 Jingyi|子涵 Zihan|思远 Siyuan|雨桐 Yutong|浩然 Haoran|欣怡 Xinyi|明轩 Mingxuan|"
    "婉清 Wanqing|文博 Wenbo|晓雯 Xiaowen|嘉豪 Jiahao|若曦 Ruoxi|宇航 Yuhang|诗涵 Shihan|建国 Jianguo|丽华 Lihua|"
    "志强 Zhiqiang|梦琪 Mengqi|一诺 Yinuo|俊杰 Junjie|雅婷 Yating|晨 Chen|璐 Lu|凯 Kai|颖 Ying|磊 Lei"
).split("|")
_FIRST = (
    "Marcus|Sophie|Priya|Tom|Hannah|Diego|Amara|Lukas|Emily|Noah|Fatima|Oliver|Chloe|Rafael|Ingrid|James|Mei|"
    "Yusuf|Clara|Ethan|Nadia|Henrik|Olivia|Samuel|Grace|Mateo|Leila|Jonas|Ruth|Daniel|Ella|Victor|Anika|Peter"
).split("|")
_LAST = (
    "Reid|Arnaud|Natarajan|Okafor|Lindqvist|Moreno|Diallo|Weber|Carter|Bennett|Rahman|Hughes|Dubois|Silva|Berg|"
    "Walker|Tanaka|Demir|Novak|Murphy|Haddad|Olsen|Fraser|Klein|Thompson|Rossi|Karimi|Fischer|Adler|Price|"
    "Nilsson|Marchetti|Banerjee|Collins"
).split("|")


def demo_agents() -> tuple[DemoPerson, ...]:
    """The people of the demo shop who answer chats."""
    return tuple(person for person in DEMO_PEOPLE if person.role == "agent")


def demo_customers(*, seed: int = 7, count: int = 1_400) -> tuple[DemoCustomer, ...]:
    """The shoppers of the history, the same ones for the same seed; about 3 in 10 are anonymous."""
    draw = random.Random(f"customers-{seed}")
    return tuple(_customer(draw, number) for number in range(count))


def shopper_name(draw: random.Random, locale: Locale) -> str:
    """A made-up full name as it is written in that language."""
    if locale == "zh":
        return draw.choice(_FAMILY).split()[0] + draw.choice(_GIVEN).split()[0]
    if draw.random() < 0.12:
        return f"{draw.choice(_GIVEN).split()[1]} {draw.choice(_FAMILY).split()[1]}"
    return f"{draw.choice(_FIRST)} {draw.choice(_LAST)}"


def _customer(draw: random.Random, number: int) -> DemoCustomer:
    locale: Locale = "zh" if draw.random() < 0.62 else "en"
    # The last four characters are what the console shows of somebody without a name.
    customer_id = f"demo-{number:04x}{draw.getrandbits(16):04x}"
    if draw.random() < 0.3:
        return DemoCustomer(customer_id, None, locale, None)
    name = shopper_name(draw, locale)
    email = f"shopper{number}@customers.example" if draw.random() < 0.6 else None
    return DemoCustomer(customer_id, name, locale, email)
