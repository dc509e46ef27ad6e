-- a script


set 'parallelism.default'='4';
create table `orders` (id int not null,`value` string comment 'x',price decimal(10,2),ts timestamp(3),watermark for ts as ts-interval '5' second,primary key(id) not enforced) with('connector'='filesystem','path'='/a') ; -- the input
create table o2 (id int) with ('connector'='print');
/* a view */ create view v as select id,`value`,price*2 p from orders where price>10 and `value` like 'a%' and id in(1,2,3) and exists(select 1 from o2 where o2.id=orders.id) and ts > timestamp '2024-01-01 00:00:00';
insert into o2 select id -- the key
from v;

select a.id,count(*) c,sum(price)filter(where price>1) over (partition by id order by ts rows between 1 preceding and current row) from orders a left join(select id,max(price) m from orders group by id)b on a.id=b.id cross join unnest(array[1,2]) as u(x) where not a.id=1 group by a.id,cube(b.m) having count(*)>1 order by c desc limit 10;
select first_name, last_name, street, city, country, postal_code, telephone, email, created_at, updated_at from people;
with x as (select 1), y as (values (1,2)) select * from x,y union all (select 2 intersect select 3) ;
execute statement set begin insert into o2 select 1; insert into o2 select 2 from table(tumble(table orders, descriptor(ts), interval '1' minute)); end
; -- the end
