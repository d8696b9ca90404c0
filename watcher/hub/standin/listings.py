"""The stand-in's answer to `GET /api/models`: what is wanted, in which order, with which fields, page by page."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watcher.hub.standin import items
from watcher.hub.standin.crowd import Crowd
from watcher.hub.standin.protocol import Refused, Request, Response, asked, first, json_answer, limit_of, next_link
from watcher.hub.standin.repo import ModelRepo
from watcher.hub.standin.world import World

SORTS = {
    "createdAt": "createdAt",
    "created_at": "createdAt",
    "lastModified": "lastModified",
    "last_modified": "lastModified",
    "downloads": "downloads",
    "likes": "likes",
    "trendingScore": "trendingScore",
    "trending_score": "trendingScore",
}


def list_models(world: World, request: Request, visible: Callable[[ModelRepo], bool], most: int) -> Response:
    """A page of at most `most` items; repos that are not `visible` are left out."""
    query = request.query
    sort = SORTS.get(first(query, "sort") or "trendingScore", "trendingScore")
    fields = fields_of(query)
    author = first(query, "author")
    limit = limit_of(first(query, "limit"), most, most)
    if world.crowd is not None and (author is None or world.crowd.owns(author)):
        return _list_crowd(world, world.crowd, request, author, sort, fields, limit)
    found = [repo for repo in world.listed if visible(repo) and _wanted(world, repo, query)]
    rows = [(items.describe(world, repo, (sort, *fields)), repo) for repo in found]
    if sort != "createdAt":
        rows.sort(key=lambda row: (str(row[0].get(sort) or ""), _inverse(row[1].hub_id)), reverse=True)
    rows = _after(rows, sort, first(query, "cursor"))
    page = [item for item, _ in rows[:limit]]
    if not asked(query):
        page = [{**item, "modelId": item["id"]} for item in page]
    return json_answer(
        request, page, {"Link": next_link(request, _cursor(rows[limit - 1], sort))} if len(rows) > limit else {}
    )


def _list_crowd(
    world: World, crowd: Crowd, request: Request, author: str | None, sort: str, fields: tuple[str, ...], limit: int
) -> Response:
    found, cursor = crowd.page(author, sort, first(request.query, "cursor"), limit)
    page = [items.describe(world, repo, (sort, *fields)) for repo in found]
    return json_answer(request, page, {"Link": next_link(request, cursor)} if cursor else {})


def fields_of(query: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The fields that a request asks for by `expand`, or by the older switches."""
    wanted = asked(query)
    if any(name not in items.ASKABLE for name in wanted):
        raise Refused(400, f'"expand" must be one of [{"|".join(items.ASKABLE)}]')
    if wanted:
        return wanted
    more: tuple[str, ...] = items.FULL if first(query, "full") == "true" else ()
    more += ("config",) if first(query, "config") == "true" else ()
    return (*items.BRIEF, *more, *(("cardData",) if first(query, "cardData") == "true" else ()))


def _wanted(world: World, repo: ModelRepo, query: Mapping[str, Sequence[str]]) -> bool:
    author, search, task = first(query, "author"), first(query, "search"), first(query, "pipeline_tag")
    if author and repo.organization.lower() != author.lower():
        return False
    if search and search.lower() not in repo.name.lower():
        return False
    if not query.get("filter") and not task:
        return True
    item = items.describe(world, repo, ("tags", "pipeline_tag"))
    tags = {*item.get("tags", []), item.get("pipeline_tag")}
    return all(wanted in tags for wanted in (*query.get("filter", ()), *([task] if task else [])))


def _inverse(hub_id: str) -> str:
    """Sorts ids the other way round: among equals the smaller id comes first."""
    return "".join(chr(255 - ord(letter)) for letter in hub_id)


Row = tuple[dict[str, Any], ModelRepo]


def _cursor(row: Row, sort: str) -> str:
    """Where the next page goes on, as the Hub writes it: a query of its database."""
    item, repo = row
    if sort == "createdAt":
        query: dict[str, Any] = {"_id": {"$lt": repo.hub_id}}
    else:
        value = item.get(sort)
        query = {"$or": [{sort: value, "_id": {"$gt": repo.hub_id}}, {sort: {"$lt": value}}, {sort: None}]}
    return base64.b64encode(json.dumps(query, separators=(",", ":")).encode()).decode()


def _after(rows: list[Row], sort: str, cursor: str | None) -> list[Row]:
    if cursor is None:
        return rows
    try:
        query = json.loads(base64.b64decode(cursor))
        if sort == "createdAt":
            return [row for row in rows if row[1].hub_id < query["_id"]["$lt"]]
        same, _, _ = query["$or"]
        value, last = str(same[sort] or ""), same["_id"]["$gt"]
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "Invalid cursor") from None
    return [
        row
        for row in rows
        if str(row[0].get(sort) or "") < value or (str(row[0].get(sort) or "") == value and row[1].hub_id > last)
    ]
